from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from model.names import entity_name
from model.sentences import split_sentences
from model.text import Offsets, clitic_end, clitic_letters, possible_clitics, split_words

LONG = "أعلنت وزارة الصحة أمس ارتفاع عدد المصابين في العاصمة إلى أكثر من ألف شخص"

# `‖` is no part of the text: a sentence ends there.
SENTENCES = [
    # Full stops, questions, exclamations.
    "وصل الوزير إلى بغداد.‖ وقال إن الاجتماع ناجح.",
    "هل تنجح المفاوضات؟‖ لا أحد يعرف.",
    "يا للعار!‖ لم يحضر أحد.",
    "ماذا يعني ذلك؟!‖ سؤال كبير.",
    "?هل وصلت",
    "انتهى الاجتماع .‖ وغادر الوفد .",
    "انتهى الاجتماع ؟ .‖ وغادر الوفد",
    "جملة بلا نقطة",
    "جملة أولى۔‖ جملة ثانية۔",
    # Marks that do not end a sentence.
    "قال الوزير: لن نقبل؛ وأضاف: سنرد، ثم غادر.",
    "لماذا حدث ذلك؟، سأل النائب.",
    "كان هذا الرأي (!) غريبا جدا.",
    "حذفت الرقابة هذا المقطع (...) من الخبر كله أمس الأول.",
    "قال «إن الحل […] قريب» أمس.",
    # Quotes and brackets that close after the mark.
    "قال: «لن نقبل».‖ وأضاف أن الوقت ضيق.",
    "قال: «لن نقبل.»‖ وأضاف أن الوقت ضيق.",
    'قال: "لن نقبل."‖ وأضاف: "سنرد."',
    "قال: “لن نقبل.”‖ وأضاف أن الوقت ضيق.",
    "(انعقد الاجتماع أمس.)‖ ثم غادر الوفد.",
    "قال: «لن نقبل.‖ سنرد غدا.‖ هذا وعد».‖ وانصرف.",
    "قال »لن نقبل.«‖ ثم انصرف.",
    "انتهى الاجتماع. »‖ وغادر الوفد.",
    # A question or exclamation in quotes goes on.
    "صدر كتاب «من سرق الوطن؟» للكاتب علي حسن.",
    "«أين كنتم حين غرقت درنة؟» سأل النائب وزراء الحكومة.",
    f"{LONG} «فهل من مجيب؟»‖ وأكدت الوزارة أنها تعمل على الحل.",
    '"القرار صائب." بحسب وكالة رويترز.',
    # Abbreviations, titles, initials.
    "أكد د. أحمد حسن ذلك.‖ وغادر.",
    "حضر أ.د. محمد علي وأ. د. خالد سعيد وم. سعد ود. وفاء.",
    "حضر أ.د. وليد سعيد أمس ود. وائل حسن.",
    "أوضح د.أحمد حسن ذلك.",
    "أوضح دّ. أحمد وﺩ. ﺧﺎﻟﺪ ذلك.‖ ﻭﻏﺎﺩﺭ.",
    "عاش عام 300 ق.م.‖ ﻭﻛﺎﻥ ملكا.",
    "نقلت أ. ف. ب عن المصدر قوله.",
    "نقلت (د.ب.أ) عن المصدر قوله.",
    "العنوان: ص.ب. 1234 بغداد.",
    "عاش في القرن الثالث ق.م. في بابل.",
    "عاش عام 300 ق.م.‖ وكان ملكا.",
    "أسس ج. ب. مورغان المصرف.",
    "أقدم المدعو ج. ع. م. على طعن جاره.",
    "قال جيمس بي. كومي لشبكة سي. إن. إن. الإخبارية إنه بخير.",
    "شاهد بي.بي.سي أمس.",
    "قالت قناة إم بي سي.‖ القناة الأولى.",
    "قال لشبكة سي. إن. إن.‖ وأضاف أنه بخير.",
    "يحتاج الجسم إلى فيتامين د.‖ ويوجد في السمك.",
    "The U.S. government said so.‖ And it did.",
    "زار مكتب J. P. Morgan في لندن.",
    "وقعت شركة Apple Inc. الأميركية العقد.",
    "وقعت شركة Apple Inc.‖ وقالت إنها راضية.",
    "قال Mr. Smith ذلك.",
    "قال أ. ب. ت.",
    # Eras and units after a number.
    "افتتح عام 2015م.‖ وأغلق بعد ذلك.",
    "افتتح عام 1436 هـ.‖ وأغلق بعد ذلك.",
    "يفتح الساعة 10 ص.‖ يغلق مساء.",
    "على بعد 5 كم.‖ وأضاف أن الطريق مغلق.",
    # Numbers.
    "ارتفع المؤشر 3.5 نقطة.‖ وانخفض ٢.٤ نقطة.",
    "حدث ذلك عام 2015.‖ وقال الوزير ذلك.",
    "سجل الهدف في الدقيقة 65.‖ وفاز الفريق.",
    "1. القوة الاقتصادية.‖ 2. وجود الفرص.‖ 3. التمويل.",
    "1- القوة الاقتصادية.‖ 2- وجود الفرص.",
    "والأسباب هي: 1. ضعف التمويل",
    "أ. ضعف التمويل",
    "بدأ الاجتماع 10:30 صباحا و11.45 مساء.",
    "عيار 45.‖ ثقيل",
    # Addresses.
    "زوروا www.spa.gov.sa للمزيد.‖ شكرا.",
    "زوروا www.spa.gov.sa.‖ شكرا.",
    "الرابط http://a.com/b?c=d!e.f للمزيد.",
    "راسلونا على a.b@c.com.‖ شكرا.",
    "نشر موقع «الجزيرة.نت» الخبر.",
    # No space after the mark.
    "انتهى الاجتماع.‖وقال الوزير ذلك.",
    "هل وصل الوفد؟‖نعم وصل.",
    "في عام 2014.‖وجاءت الأرباح",
    "عام 2014م.‖وجاءت الأرباح",
    "انتهى الاجتماع.‖«نحن راضون» قال الوزير.",
    "انتهى الاجتماع.‖* وغادر الوفد.",
    '"نحن راضون."وفقا لرويترز.',
    "انتهى الاجتماع.‖2 من الوفد غادرا.",
    "قال Reuters.‖وأضاف المصدر",
    # Ellipses: a comma, or the end of a long clause.
    "بعد عام من التعثر.. الخطوط التونسية تستأنف رحلاتها",
    "نيروبي تنفي إيواء القيادات.. والخرطوم تستدعي القائم بالأعمال",
    "بطالة الخريجين في الأردن ترتفع إلى ربع القوة العاملة .. والإناث الأكثر تضررا",
    "دبي.. هبط المؤشر نقطة واحدة في بداية تعاملات اليوم.",
    f"{LONG}..‖ نحن نعمل للتغلب على نقص الدواء.",
    f"{LONG}..‖ وأكدت الوزارة أنها تعمل على الحل.",
    f"{LONG}.. وهذا كثير.",
    f"{LONG}.. مضيفة أن الوضع تحت السيطرة الكاملة اليوم.",
    "باعت التمور والزيت والعسل والسمن... إلخ، ثم غادرت.",
    f"{LONG}…",
    "افتتح الأمير مساء أمس معرض (الملك فيصل .. شاهد وشهيد) في مقر الإمارة.",
    # Lines.
    "عنوان بلا نقطة‖\nنص الخبر هنا.",
    "عنوان‖\r\n\r\nفقرة أولى‖\r\nفقرة ثانية",
    "سطر‖\u2028سطر‖\x85سطر‖\x0bسطر",
    "• بند أول‖\n• بند ثان‖\n- بند ثالث‖\n* بند رابع",
    "  بداية.‖ \t نهاية.  ",
    # Signs alone go to the sentence before them.
    "انتهى الخبر.\n***‖\nخبر آخر.",
    "نجحنا! 🎉🎉",
    "انتهى الخبر\u200f.\u200f‖ خبر آخر",
    "7\u202a.\u202c فيلم جديد",
    "***‖\nخبر",
    "!!! خبر عاجل",
    # Other texts.
    "🎉",
    "Hello world.‖ How are you?",
    "أطلقت Apple هاتف iPhone 6.‖ وقال CEO ذلك.",
]


@pytest.mark.parametrize("marked", SENTENCES)
def test_sentences_end_where_a_reader_ends_them(marked: str) -> None:
    text = marked.replace("‖", "")
    assert [text[start:end] for start, end in split_sentences(text)] == [part.strip() for part in marked.split("‖")]


@pytest.mark.parametrize("text", ["", " ", "\n\n", " \t\r\n\u00a0\u2003\x1c"])
def test_blank_texts_have_no_sentences_and_no_words(text: str) -> None:
    assert split_sentences(text) == []
    assert split_words(text) == []


WRAPPED = (
    "استقبل صاحب السمو الملكي الأمير فيصل بن بندر بن عبدالعزيز أمير منطقة\n"
    "الرياض في مكتب سموه بقصر الحكم اليوم سفير جمهورية البيرو لدى المملكة\n"
    "إدوارد مارتينيتي الذي ودع سموه بمناسبة انتهاء فترة عمله سفيرا لبلاده\n"
    "لدى المملكة."
)


def test_lines_wrapped_at_one_width_are_one_paragraph() -> None:
    text = f"{WRAPPED} وحضر اللقاء وكيل الإمارة.\n\nخبر آخر"
    first = len(WRAPPED)
    assert split_sentences(text) == [
        (0, first),
        (first + 1, text.index("\n\n")),
        (text.index("خبر آخر"), len(text)),
    ]


def test_lines_with_room_for_the_next_word_are_not_wrapped() -> None:
    lines = WRAPPED.split("\n")
    text = "\n".join([lines[0], lines[1][:40], *lines[2:]])
    assert len(split_sentences(text)) == 4


def test_a_sentence_of_three_thousand_words_is_kept_whole() -> None:
    text = " ".join(["كلمة"] * 3000) + "."
    assert split_sentences(text) == [(0, len(text))]


# Words are written apart by `|`; spaces of the text stay.
WORDS = [
    "وبالأنبار",
    "قَالَ| |الرَّئِيسُ",
    "كـــتاب| |لـ|«|داعش|»",
    "قال|:",
    "نعم|،| |لا|؛| |ربما|؟",
    "13| |شخصا",
    "3.5|%",
    "٤٥٫٧| |مليون",
    "1,733,581| |مركبة",
    "١٬٠٠٠| |ريال",
    "10,5| |مليار",
    "4| |آلاف| |و|897",
    "10|:|30",
    "2015|م|.",
    "10|.|.",
    "10|-|15",
    "26|/|7|/|2015",
    "½| |كوب",
    "كوفيد|19",
    "F|-|16",
    "iPhone|6",
    "iPhoneالجديد",
    "www|.|spa|.|gov|.|sa",
    "#|قاطعوا|_|النمسا",
    "@|user",
    "(|15|)",
    ".|.|.",
    "؟|!",
    "«|لن| |نقبل|.|»",
    "ال\u200dحق",
    "ال\u200d\u064eحق",
    "\u200f|قال|\u200f",
    "قال|\u200b| |نعم",
    "\ufeff|خبر",
    "می\u200cشود",
    "\u064b|قال",
    "سنة|\u0600|123",
    "1\ufe0f\u20e3| |أولا",
    "👍🏽| |شكرا",
    "👨\u200d👩\u200d👧|👍",
    "🇸🇦|🇪🇬| |🇮🇶",
    "❤\ufe0f|❤",
    "!\u0301",
    "ﷲ|﷼",
    "\ud800|\udc00|قال",
    "don|'|t| |café",
    "\x00|\x1a",
    "قال|\x1c|نعم",
]


@pytest.mark.parametrize("marked", WORDS)
def test_words_are_numbers_letters_and_single_signs(marked: str) -> None:
    parts = marked.split("|")
    text = "".join(parts)
    words = [part for part in parts if not part.isspace()]
    assert [text[start:end] for start, end in split_words(text)] == words


def test_words_of_a_part_have_offsets_in_the_whole_text() -> None:
    text = "قال الوزير نعم"
    assert split_words(text, 4, 10) == [(4, 10)]
    assert split_words(text, 5) == [(5, 10), (11, 14)]
    assert split_words(text, 6, 6) == []


@pytest.mark.parametrize(("start", "end"), [(-1, 2), (0, 4), (2, 1), (4, None)])
def test_words_outside_the_text_are_refused(start: int, end: int | None) -> None:
    with pytest.raises(ValueError, match=r"is not a span of a text of 3 code points"):
        split_words("نعم", start, end)


@pytest.mark.parametrize(
    ("word", "letters", "end"),
    [
        ("وبالأنبار", 0, 0),
        ("وبالأنبار", 1, 1),
        ("وبالأنبار", 2, 2),
        ("وَبِالأنبار", 1, 2),
        ("وَبِالأنبار", 2, 4),
        ("للعراق", 1, 1),
        ("لِلعراق", 1, 2),
        ("لـداعش", 1, 2),
        ("لـــَداعش", 1, 5),
        ("و\u200dبغداد", 1, 2),
        ("ـوبغداد", 1, 2),
        ("ـوبغداد", 0, 0),
        ("ﻟﻠﻌﺮاق", 1, 1),
        ("لـ", 1, 2),
        ("له", 3, 2),
        ("13", 1, 2),
    ],
)
def test_clitics_end_after_the_signs_that_follow_their_letters(word: str, letters: int, end: int) -> None:
    assert clitic_end(word, letters) == end


@pytest.mark.parametrize(
    ("word", "offset", "letters"),
    [
        ("وَبِالأنبار", 4, 2),
        ("وَبِالأنبار", 3, 2),
        ("وَبِالأنبار", 2, 1),
        ("لـداعش", 2, 1),
        ("ـ", 1, 0),
        ("13", 2, 0),
        ("", 0, 0),
    ],
)
def test_clitic_letters_count_neither_marks_nor_tatweel(word: str, offset: int, letters: int) -> None:
    assert clitic_letters(word, offset) == letters


def test_clitics_that_cannot_be_are_refused() -> None:
    with pytest.raises(ValueError, match=r"a clitic of -1 letters in 'له'"):
        clitic_end("له", -1)
    with pytest.raises(ValueError, match=r"offset 3 is not in 'له' of 2 code points"):
        clitic_letters("له", 3)
    with pytest.raises(ValueError, match=r"offset -1 is not in 'له'"):
        clitic_letters("له", -1)


# The entity's span is written in brackets.
NAMES = [
    ("في [العراق] أمس", "العراق"),
    ("زار [بَغْدَاد] أمس", "بغداد"),
    ("زار [بغـــداد] أمس", "بغداد"),
    ("[\u200fبغ\u200dداد\u200f]", "بغداد"),
    ("[وزارة \n  الدفاع\u00a0العراقية]", "وزارة الدفاع العراقية"),
    ("[ﺑﻐﺪاد]", "بغداد"),
    ("[ﷲ]", "الله"),
    ("[الرحمٰن]", "الرحمن"),
    ("[ا\u0653ل خليفة]", "آل خليفة"),
    ("[محمد\ufe70 علي]", "محمد علي"),
    ("[BBC World]", "BBC World"),
    ("[13]", "13"),
    ("[\u064b]", ""),
    # ل behind which the article lost its alef.
    ("دعم ل[لعراق]", "العراق"),
    ("دعم ول[لعراق]", "العراق"),
    ("دعم فل[لعراق]", "العراق"),
    ("دعم لِ[لْعِرَاق]", "العراق"),
    ("دعم لـ[لعراق]", "العراق"),
    ("دعم ﻟ[ﻠﻌﺮاق]", "العراق"),
    ("دعم ل[ليمن]", "اليمن"),
    ("دعم ل[ليابان]", "اليابان"),
    ("دعم ل[ليونيفيل]", "اليونيفيل"),
    ("دعم ل[لجيش اللبناني]", "الجيش اللبناني"),
    ("دعم ل[لأمم المتحدة]", "الأمم المتحدة"),
    ("دعم ل[لاتحاد الأوروبي]", "الاتحاد الأوروبي"),
    ("دعم ل[لحج]", "الحج"),
    ("دعم ل[لخضر]", "الخضر"),
    # Names that begin with ل themselves.
    ("دعم ل[لبنان]", "لبنان"),
    ("دعم ول[ليبيا]", "ليبيا"),
    ("سافر ل[لندن]", "لندن"),
    ("سافر ل[لوس أنجلوس]", "لوس أنجلوس"),
    ("قال ل[ليلى حسن]", "ليلى حسن"),
    ("قال ل[لافروف]", "لافروف"),
    ("قال ل[لخضر بلومي]", "لخضر بلومي"),
    # Nouns that begin with ل: with the article alone or before an adjective, without it before a genitive.
    ("قال ل[لجنة]", "اللجنة"),
    ("قال ل[لجنة العليا للانتخابات]", "اللجنة العليا للانتخابات"),
    ("قال ل[لجنة الدولية للصليب الأحمر]", "اللجنة الدولية للصليب الأحمر"),
    ("قال ل[لجنة التنفيذية]", "اللجنة التنفيذية"),
    ("قال ل[لجنة الانتخابات]", "لجنة الانتخابات"),
    ("قال ل[لجنة التنمية الاجتماعية]", "لجنة التنمية الاجتماعية"),
    ("قال ل[لجنة حقوق الإنسان]", "لجنة حقوق الإنسان"),
    ("تابع ل[لواء 55]", "اللواء 55"),
    ("تابع ل[لواء غولاني]", "لواء غولاني"),
    ("تابع ل[لواء البحري]", "اللواء البحري"),
    ("دعم ل[لاجئين]", "اللاجئين"),
    ("دعم ل[لاجئين السوريين]", "اللاجئين السوريين"),
    ("دعم ل[لاجئين سوريين]", "لاجئين سوريين"),
    ("دعم ل[لبنانيين]", "اللبنانيين"),
    ("دعم ل[لاعبي المنتخب]", "لاعبي المنتخب"),
    ("سافر ل[لاذقية]", "اللاذقية"),
    ("شكر ل[له]", "الله"),
    ("شكر ل[لّه]", "الله"),
    # No clitic ل before the span, or no ل in it.
    ("ل [لعراق]", "لعراق"),
    ("[لعراق]", "لعراق"),
    ("«[لجنة]»", "لجنة"),
    ("قال ل[داعش]", "داعش"),
    ("ب[لندن]", "لندن"),
    ("بل[لعراق]", "لعراق"),
    ("دعم ل[ل]", "ل"),
]


@pytest.mark.parametrize(("marked", "name"), NAMES)
def test_names_are_spelled_plainly_with_their_article(marked: str, name: str) -> None:
    start, end = marked.index("["), marked.index("]") - 1
    text = marked.replace("[", "").replace("]", "")
    assert entity_name(text, start, end) == name


def test_a_span_outside_the_text_has_no_name() -> None:
    with pytest.raises(ValueError, match=r"\[2, 9\) is not a span of a text of 4 code points"):
        entity_name("بغدا", 2, 9)


# ---------------------------------------------------------------------------------------------------------------------
# Properties

ALPHABET = 'ابلوفدم. .؟!…،:"«»()[]\n\r\t 12٣aBِّـ\u200f\u200d\u0600\ufe0f🇸👍👩\ud800ﻟ\x1c•-'
TEXTS = st.one_of(st.text(), st.text(st.sampled_from(ALPHABET), max_size=80), st.text(st.characters()))


def gaps(text: str, spans: list[Offsets], start: int, end: int) -> list[str]:
    """What of `text[start:end]` lies before, between and after `spans`, which must be in order and apart."""
    edges = [start, *(edge for span in spans for edge in span), end]
    assert edges == sorted(edges)
    return [text[left:right] for left, right in zip(edges[::2], edges[1::2], strict=True)]


def is_blank(text: str) -> bool:
    return text == "" or text.isspace()


@given(TEXTS)
@example("".join(ALPHABET))
def test_sentences_and_blanks_rebuild_the_text(text: str) -> None:
    sentences = split_sentences(text)
    assert all(map(is_blank, gaps(text, sentences, 0, len(text))))
    assert all(start < end and text[start:end] == text[start:end].strip() for start, end in sentences)


@given(TEXTS, st.data())
def test_words_cover_every_code_point_but_blanks(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    words = split_words(text, start, end)
    assert all(map(is_blank, gaps(text, words, start, end)))
    assert all(left < right and not any(map(str.isspace, text[left:right])) for left, right in words)
    assert words == [(left + start, right + start) for left, right in split_words(text[start:end])]


@given(TEXTS)
def test_no_sentence_ends_inside_a_word(text: str) -> None:
    bounds = {edge for word in split_words(text) for edge in word}
    assert {edge for sentence in split_sentences(text) for edge in sentence} <= bounds


@given(TEXTS, st.integers(0, 5))
def test_clitic_letters_undo_clitic_end(word: str, letters: int) -> None:
    count = clitic_letters(word, len(word))
    assert clitic_letters(word, clitic_end(word, letters)) == min(letters, count)


@given(TEXTS, st.data())
def test_clitic_end_undoes_clitic_letters_before_a_letter(word: str, data: st.DataObject) -> None:
    offset = data.draw(st.integers(0, len(word)))
    letters = clitic_letters(word, offset)
    end = clitic_end(word, letters)
    if letters and offset < len(word) and clitic_letters(word, offset + 1) > letters:
        assert end == offset
    else:
        assert clitic_letters(word, end) == letters


@given(TEXTS, st.data())
def test_names_have_no_invisible_characters_and_no_outer_blanks(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    name = entity_name(text, start, end)
    assert name == " ".join(name.split())
    assert not set(name) & set("\u0640\u064b\u0652\u0670\u200b\u200f\u202a\ufeff")
    assert entity_name(name, 0, len(name)) == name


# ---------------------------------------------------------------------------------------------------------------------
# Sizes that anything quadratic would not finish

MEGABYTE = 1_000_000
LARGE = 200_000


@pytest.mark.parametrize("unit", ["ا", "كلمة ", ".", "\n"])
def test_a_megabyte_of_one_thing_is_split(unit: str) -> None:
    text = unit * (MEGABYTE // len(unit))
    assert split_sentences(text) == ([] if unit == "\n" else [(0, len(text.rstrip()))])
    assert len(split_words(text)) == {"ا": 1, "كلمة ": MEGABYTE // 5, ".": MEGABYTE, "\n": 0}[unit]


@pytest.mark.parametrize(
    "unit",
    [
        ". ",
        "! ",
        "ا.",
        "ا. ",
        "1. ",
        "اب..",
        "اب .. ",
        "اب\n",
        "ا\u200f.",
        'ا؟" ',
        "www.",
        "«",
        ".)",
        ". ) ",
        "\ud800.",
    ],
)
def test_large_texts_of_marks_are_split(unit: str) -> None:
    text = unit * (LARGE // len(unit))
    assert all(map(is_blank, gaps(text, split_sentences(text), 0, len(text))))


@pytest.mark.parametrize("unit", ["🇸", "👩\u200d", "\u064e", "\u200b", "ا\u200b", "\u0600", "1\ufe0f", "ـ", "1."])
def test_large_texts_of_strange_characters_have_words(unit: str) -> None:
    text = unit * (LARGE // len(unit))
    assert set(gaps(text, split_words(text), 0, len(text))) == {""}


@pytest.mark.parametrize(("blank", "tail"), [(" ", "ب"), ("\u200f", "ب"), (" ", ""), (")", "ب")])
def test_a_megabyte_after_a_full_stop_is_looked_at_once(blank: str, tail: str) -> None:
    text = "انتهى." + blank * MEGABYTE + tail
    assert split_sentences(text)[0][0] == 0


def test_a_name_of_a_megabyte_is_spelled() -> None:
    text = "ل" + "ل" + "ـ" * MEGABYTE + "عراق"
    assert entity_name(text, 1, len(text)) == "العراق"
    assert clitic_end(text, 2) == MEGABYTE + 2


@pytest.mark.parametrize(
    ("word", "most", "letters"), [("کبغداد", 3, 1), ("ﻭﺑﺒﻐﺪﺍﺩ", 3, 2), ("ﻛﺒﻐﺪﺍﺩ", 1, 1), ("ﻣﺒﻐﺪﺍﺩ", 2, 0)]
)
def test_clitics_in_other_letter_forms(word: str, most: int, letters: int) -> None:
    assert possible_clitics(word, most) == letters
