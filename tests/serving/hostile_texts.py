"""Texts that are hard on sentences, words and offsets; each is answered with 200, and exact offsets."""

from __future__ import annotations

from nasty_texts import NASTY_TEXTS

_NEWS = "أعلن الجيش العراقي مقتل خمسة مسلحين في صلاح الدين."

#: What is sent, and the text; in most of them something can be found.
TEXTS = {
    "nothing": "",
    "white space": " \t\r\n\u00a0\u2003 ",
    "tashkeel without letters": "\u064e\u0651\u0652" * 300,
    "tatweel without letters": "ـ" * 1000,
    "punctuation": "،؛؟!….«»" * 100,
    "one word of 200,000 letters": "السلام" * 33_333 + "لا",
    "200,000 letters of tashkeel on one letter": "ق" + "\u064e" * 199_999,
    "2,000 characters without a space": "أعلن،الجيش؛" * 182,
    "300 sentences of one letter": "أ. " * 300,
    "full tashkeel": NASTY_TEXTS["tashkeel"],
    "tatweel inside words": NASTY_TEXTS["tatweel"],
    "letters with five marks each": "".join(
        letter + "\u0651\u064e\u0670\u06e2\u0655" for letter in "أعلن الجيش مقتل خمسة"
    ),
    "marks at the beginning, and after spaces": f"\u064e \u0651{_NEWS} \u064f",
    "bidi controls": NASTY_TEXTS["bidi"],
    "bidi overrides that are never closed": f"\u202e\u2067\u202b{_NEWS}",
    "bidi controls inside words": "أع\u202eلن الج\u200fيش الع\u200eراقي مق\u2066تل خم\u2069سة مسلحين في صلاح الدين.",
    "emoji, joined by zero-width joiners": f"👨\u200d👩\u200d👧\u200d👦 {_NEWS} 🏳️\u200d🌈 "
    "أعلن👩🏽\u200d🚀الجيش مقتل خمسة.",
    "flags": f"🇮🇶🇸🇾 {_NEWS} 🇮🇶🇸 🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
    "keycaps and digits of four scripts": "أعلن الجيش مقتل 5️⃣ و٥ و۵ و५ و𝟝 مسلحين في حلب.",
    "code points beyond the BMP": f"𝔸𐎀𞸀 {_NEWS} 𠮷\U0010fffd",
    "noncharacters and private use": f"\ufffe\uffff\ue000 {_NEWS} \U0010ffff",
    "CRLF, and lone CR": f"{_NEWS}\r\n\r\n{_NEWS}\r{_NEWS}\n\r",
    "line and paragraph separators, NEL, form feed": f"{_NEWS}\u2028{_NEWS}\u2029{_NEWS}\x85{_NEWS}\x0c{_NEWS}",
    "zero-width characters inside words": "أعلن الج\u200bيش الع\u200cرا\u200dقي مقتل\u2060 "
    "خمسة مسلحين\ufeff في صلاح\u00ad الدين.",
    "a byte order mark": f"\ufeff{_NEWS}",
    "mixed scripts": "أعلن the الجيش America مقتل 五 мирных ضحايا في Ἀθήνα و세울 أمس.",
    "Latin, Cyrillic and Arabic letters in one word": "الـArmyАрмия أعلنت مقتلkilled خمسةfive.",
    "letters in their decomposed forms": NASTY_TEXTS["decomposed"],
    "presentation forms and ligatures": f"{NASTY_TEXTS['presentation']} ﻻ ﻼ ﷽ {_NEWS}",
    "Hangul, Devanagari and Thai clusters": "각각 क्षि กำ " + _NEWS,
    "control characters and terminal escapes": NASTY_TEXTS["controls"],
    "JSON and markup": NASTY_TEXTS["json"],
    "percent signs and format directives": f"%s %n {{0}} ${{jndi:ldap://x}} {_NEWS} {{{{7*7}}}}",
    "SQL": f"'; DROP TABLE annotations; -- {_NEWS}",
    "the pieces of the model's own tokenizer": f"[CLS] [SEP] [MASK] [PAD] [UNK] ##ون {_NEWS}",
    "a number of 400 digits": f"قتل {'9' * 400} مسلحا في حلب، و{'٩' * 400} في حمص.",
    "Zalgo": "أ" + "".join(chr(code) for code in range(0x300, 0x36F)) + f" {_NEWS}",
    "variation selectors and tags": "أ\ufe0fعلن الجيش\U000e0041\U000e0042 العراقي\U000e0100 مقتل خمسة مسلحين.",
}
