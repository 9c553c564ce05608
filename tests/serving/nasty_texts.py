"""Texts that are hard on offsets."""

from __future__ import annotations

#: Texts whose code points, bytes, UTF-16 units and visible signs all count differently.
NASTY_TEXTS = {
    "tashkeel": "قَصَفَ الجَيْشُ العِراقِيُّ مَواقِعَ في الأَنبارِ.",
    "tatweel": "قصـــف الجـــيش مواقـــع في حلـــب.",
    "emoji": "أعلن 😀 الجيش 👨\u200d👩\u200d👧 مقتل 🇮🇶 خمسة في بغداد.",
    "crlf": "أعلن الجيش\r\nمقتل خمسة.\r\n\r\nوقال المتحدث ذلك.\r\n",
    "bidi": "\u202bقال \u2067الرئيس\u2069 جو \u200eBiden\u200f أمس\u202c.",
    "bom and nbsp": "\ufeffقال\u00a0الوزير\u2028ذلك\u2029أمس\u200b.",
    "decomposed": "قا\u0653ل أ\u0301حمد ا\u0654لجيش.",
    "presentation": "ﻗﺎﻝ ﺍﻟﺮﺋﻴﺲ ﷺ ﷲ.",
    "controls": "قال\tالرئيس\x1b[31m\x07أحمر\x7f\x85أمس\x1c.",
    "json": 'قال "الرئيس" \\ \\u0041 {"text": "لا"} </script>.',
    "white space": " \t\r\n\u00a0 ",
    "empty": "",
}
