"""Values of NUM spans: a table of forms in use, the stated rules for separators, what has no value, and properties."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.normalization import DIGITS
from model.numbers import MAX_DIGITS, number_value

ARABIC_INDIC = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")
PERSIAN = str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹")

DIGIT_FORMS: list[tuple[str, int | float]] = [
    ("0", 0),
    ("7", 7),
    ("13", 13),
    ("٤٥", 45),
    ("۴۵", 45),
    ("٤5", 45),
    ("４５", 45),
    ("2015", 2015),
    ("٢٥٠٠٠", 25000),
    ("1500000", 1500000),
    ("١٬٢٠٠", 1200),
    ("۱٬۲۰۰", 1200),
    ("٩٬٨٧٦٬٥٤٣", 9876543),
    ("1,200", 1200),
    ("1.200", 1200),
    ("1،200", 1200),
    ("١,٥٠٠", 1500),
    ("999.999", 999999),
    ("1,250,000", 1250000),
    ("1.250.000", 1250000),
    ("٥٫٩٤٩٫٢١٢", 5949212),
    ("12\u00a0500", 12500),
    ("1\u202f250\u202f000", 1250000),
    ("3.5", 3.5),
    ("3,5", 3.5),
    ("3،5", 3.5),
    ("٣٫٥", 3.5),
    ("۳٫۵", 3.5),
    ("٣,٥", 3.5),
    ("4.0", 4),
    ("51,27", 51.27),
    ("0.85", 0.85),
    ("0,043", 0.043),
    ("0.125", 0.125),
    ("5820.4", 5820.4),
    ("1234.567", 1234.567),
    ("3.1416", 3.1416),
    ("1.234,5", 1234.5),
    ("10,482.36", 10482.36),
    ("5ر1,234", 1234.5),
    ("1٬234٫5", 1234.5),
    ("1.234.567,89", 1234567.89),
    ("75ر8", 8.75),
    ("07ر0", 0.07),
    ("6ر10", 10.6),
    ("٥ر١", 1.5),
    ("000ر22", 22000),
    ("432ر690ر29", 29690432),
    ("الـ20", 20),
    ("ال45", 45),
    ("\u200f13\u200e", 13),
    ("3.\u200f57", 3.57),
]

MIXED_FORMS: list[tuple[str, int | float]] = [
    ("620 ألف", 620000),
    ("620 الف", 620000),
    ("230 الفا", 230000),
    ("50 ألفاً", 50000),
    ("10 آلاف", 10000),
    ("10 الاف", 10000),
    ("210 آلاف", 210000),
    ("٤٨٠ ألفا", 480000),
    ("4 آلاف و897", 4897),
    ("4 آلاف و 897", 4897),
    ("٤ آلاف و٨٩٧", 4897),
    ("23 ألفا و450", 23450),
    ("7 ملايين و850 ألفا و300", 7850300),
    ("5 مليارات و347 مليون", 5347000000),
    ("مليون و673 ألف", 1673000),
    ("مليارا و300 مليون", 1300000000),
    ("مليونين و300 ألف", 2300000),
    ("مئة ألف و250", 100250),
    ("مئة و20", 120),
    ("10,5 مليار", 10500000000),
    ("١٣٫٨ مليار", 13800000000),
    ("10,5 آلاف", 10500),
    ("0.5 مليون", 500000),
    ("0.250 مليون", 250000),
    ("18,5مليون", 18500000),
    ("2.75 مليون", 2750000),
    ("3.\u200f57 مليار", 3570000000),
    ("3ر5 مليار", 5300000000),
    ("50ر11 مليون", 11500000),
    ("1.250 مليار", 1250000000),
    ("15.435 تريليون", 15435000000000),
    ("1٬250 مليون", 1250000000),
    ("1200 مليون", 1200000000),
    ("5,5 بلايين", 5500000000),
    ("20\u00a0مليون", 20000000),
    ("100 ألف مليون", 100000000000),
    ("3 ونصف مليون", 3500000),
    ("6 ملايين ونصف المليون", 6500000),
    ("الـ 40 ألفا", 40000),
]

WORD_FORMS: list[tuple[str, int | float]] = [
    ("صفر", 0),
    ("واحد", 1),
    ("واحدة", 1),
    ("واحدًا", 1),
    ("واحده", 1),
    ("اثنان", 2),
    ("إثنين", 2),
    ("اثنتين", 2),
    ("الاثنين", 2),
    ("ثلاث", 3),
    ("ثَلاثَةِ", 3),
    ("الثلاثة", 3),
    ("تلاته", 3),
    ("أربعًا", 4),
    ("اربعة", 4),
    ("الخمسة", 5),
    ("خمســة", 5),
    ("لخمسة", 5),
    ("سته", 6),
    ("ثمانٍ", 8),
    ("ثماني", 8),
    ("ثمانية", 8),
    ("ثمانيا", 8),
    ("تمانية", 8),
    ("عشر", 10),
    ("العشرة", 10),
    ("أحد عشر", 11),
    ("احدى عشرة", 11),
    ("إحدى عشرة", 11),
    ("الأحد عشر", 11),
    ("اثنا عشر", 12),
    ("اثني عشر", 12),
    ("اثنتا عشرة", 12),
    ("اثنتي عشرة", 12),
    ("ثلاثة عشر", 13),
    ("خمس عشرة", 15),
    ("الخمسة عشر", 15),
    ("ثماني عشرة", 18),
    ("ثمان عشرة", 18),
    ("عشرون", 20),
    ("الثلاثين", 30),
    ("أَرْبَعِينَ", 40),
    ("ثمانون", 80),
    ("واحد وعشرون", 21),
    ("إحدى وعشرين", 21),
    ("اثنان وأربعون", 42),
    ("الاثنان والعشرون", 22),
    ("خمسة و عشرين", 25),
    ("ثمانٍ وأربعين", 48),
    ("تسع وتسعون", 99),
    ("مئة", 100),
    ("مائة", 100),
    ("مية", 100),
    ("ميه", 100),
    ("ماية", 100),
    ("مئة وعشرين", 120),
    ("مئة وواحد", 101),
    ("مائة و خمسة", 105),
    ("مئة وأحد عشر", 111),
    ("مائة واحد عشر", 111),
    ("ألف واحد وعشرون", 1021),
    ("مئة وإحدى وعشرون", 121),
    ("مئتان", 200),
    ("المئتين", 200),
    ("مائتي", 200),
    ("ميتين", 200),
    ("مئتين وخمسين", 250),
    ("ثلاث مئة", 300),
    ("ثلاثمئة", 300),
    ("ثلاثمائة", 300),
    ("ثلثمائة", 300),
    ("ثلاث مئات", 300),
    ("ثماني مئة", 800),
    ("ثمانمائة", 800),
    ("ثمانيمئة", 800),
    ("تسعمئة وتسعة وتسعون", 999),
    ("خمس مائة واثنان وستون", 562),
    ("ألف", 1000),
    ("الف", 1000),
    ("الألف", 1000),
    ("ألفًا", 1000),
    ("ألفين", 2000),
    ("ألفان", 2000),
    ("ألفي", 2000),
    ("ألف ومئتا", 1200),
    ("ألفا وخمسمئة", 1500),
    ("ألفين وخمسمئة", 2500),
    ("ألف وتسعمئة وأربعة وثمانين", 1984),
    ("خمسة آلاف", 5000),
    ("خمس آلاف", 5000),
    ("عشرة آلاف وواحد", 10001),
    ("ثلاثة عشر ألفا", 13000),
    ("ثلاثة عشر الف", 13000),
    ("خمسة وسبعين ألفًا", 75000),
    ("مئة ألف", 100000),
    ("مئة وخمسة آلاف", 105000),
    ("مئة ألف وألف", 101000),
    ("مئتا ألف", 200000),
    ("مئتي ألف", 200000),
    ("مئة وواحد وسبعين ألف", 171000),
    ("تسعمئة وتسعة وتسعون ألفًا وتسعمئة وتسعة وتسعون", 999999),
    ("مليون", 1000000),
    ("المليار", 1000000000),
    ("مليونان", 2000000),
    ("مليونين", 2000000),
    ("مليوني", 2000000),
    ("مليون وواحد", 1000001),
    ("ثلاثة ملايين ومئتي ألف", 3200000),
    ("خمسة مليون", 5000000),
    ("عشرين مليون", 20000000),
    ("سَبْعَةَ عَشَرَ مِلْيُونَ", 17000000),
    ("أحد عشر مليونًا وأربعمئة ألف", 11400000),
    ("مليون وثمانمئة وثلاثة وثلاثون ألفا", 1833000),
    ("ملياري", 2000000000),
    ("مليارين ومئتي مليون", 2200000000),
    ("خمسة مليارات", 5000000000),
    ("بليون", 1000000000),
    ("ألف مليون", 1000000000),
    ("ألفي مليار", 2000000000000),
    ("ثلاثة تريليونات", 3000000000000),
    ("ترليون", 1000000000000),
    ("نصف مليون", 500000),
    ("النصف مليون", 500000),
    ("ربع مليار", 250000000),
    ("ثلثي مليون", 2 * 10**6 / 3),
    ("ثلاثة أرباع المليون", 750000),
    ("مليون ونصف", 1500000),
    ("مليون ونصف المليون", 1500000),
    ("مليونا ونصف المليون", 1500000),
    ("مليون ونصف مليون", 1500000),
    ("مليار وربع المليار", 1250000000),
    ("مليون وثلاثة أرباع المليون", 1750000),
    ("ألفين ونصف", 2500),
    ("ثمانية ملايين ونصف المليون", 8500000),
    ("مليار ونصف مليون", 1000500000),
    ("ثلاثة ونصف ترليون", 3500000000000),
    ("خمسة وثلاثة أرباع المليون", 5750000),
    ("خمسة ونصف", 5.5),
    ("\ufea7\ufee4\ufeb4\ufe94", 5),
    ("ملیون", 1000000),
    (" خمسة\n", 5),
]

#: What has no value, or more than one.
UNREADABLE = [
    "",
    " ",
    "و",
    "ال",
    "رجال",
    "خمسة رجال",
    "13 عنصرا",
    # vague
    "آلاف",
    "آلافا",
    "عشرات",
    "مئات",
    "ملايين",
    "مئات الآلاف",
    "بضعة",
    "بضعة آلاف",
    "عشرات الآلاف",
    # bare fractions
    "نصف",
    "ثلث",
    "ثلاثة أرباع",
    # ordinals
    "الثاني",
    "الخامس",
    "الحادي عشر",
    "الخامس والعشرين",
    # bound forms alone
    "أحد",
    "إحدى",
    "اثنا",
    "اثنتي",
    # either of two numbers
    "ألفا",
    "مليونا",
    "مليارا",
    "مليون وألفا",
    "خمس مليون",
    "سبع المليون",
    "عشر ألف",
    "مئة ونصف",
    "20 ألف أو 30 ألف",
    # incoherent
    "عشرين خمسة مئة",
    "عشرون وخمسة",
    "عشرون خمسة",
    "خمسة عشرون",
    "خمسة وستة",
    "عشرة وعشرين",
    "عشر ثلاثة",
    "واحد عشر",
    "مليون واحد",
    "اثنا وعشرين",
    "مئة خمسة",
    "مئة مئة",
    "مئة ومئتين",
    "مئتين مئة",
    "خمسة وعشرون مئة",
    "ألف مليون ألف",
    "ألف ألف",
    "ألف ومليون",
    "ألف وألف",
    "مليون ألف",
    "مليون وخمسة ملايين",
    "ثلاثة ألفين",
    "ثلاثة مليونين",
    "مليون ومليار",
    "مليون ونصف المليار",
    "مليون ومئة ألف ونصف",
    "نصف مليون ونصف",
    "نصف مليون ومئة",
    "خمسة أرباع المليون",
    "ثلاثة وخمسة أرباع المليون",
    "مئة ونصف مليون",
    "مليون ونصف ومئة",
    "صفر مليون",
    "مليون وصفر",
    "0 مليون",
    "مليون و0",
    "1.5 مليون و200 ألف",
    "3.5 ونصف مليون",
    "4 آلاف و1200",
    "20 و5",
    "5 6",
    "مليون 200",
    "وعشرين",
    "خمسة و",
    "خمسة و و عشرين",
    "وووو",
    # digits that are no quantity, or not one
    "12-15",
    "12 - 15",
    "10/15",
    "12:30",
    "-5",
    "+5",
    "20%",
    "٢٠٪",
    "1,2,3",
    "1,23,456",
    "1234,567,890",
    "1,200,00",
    "1.2.3",
    "1,234.5,6",
    "1.234,567.8",
    "1٬23",
    "1,234٬5",
    "0,123,456",
    ".5",
    "5.",
    "5,",
    "1..5",
    "007",
    "05",
    "05.5",
    "47ر09",
    "350، 000",
    "12 500",
    "10²",
    "½",
    "1½",
    "①",
    "Ⅻ",
    "१२",
    "1e5",
    "1_000",
    "x5",
    "9" * (MAX_DIGITS + 1),
    # separators that the press uses both ways
    "1.250 مليون",
    "1,596 مليون",
    "46,000 ألف",
    "2,650 مليار",
    "٢١٫٠٠٠",
    "6٫935 مليون",
    "542.963,440",
    "253,753.468",
]


@pytest.mark.parametrize(("text", "value"), DIGIT_FORMS + MIXED_FORMS + WORD_FORMS)
def test_form_in_use_has_its_value(text: str, value: int | float) -> None:
    read = number_value(text)

    assert read == value
    assert type(read) is type(value)


@pytest.mark.parametrize("text", UNREADABLE)
def test_text_without_one_sure_reading_has_no_value(text: str) -> None:
    assert number_value(text) is None


def test_no_form_is_listed_twice() -> None:
    forms = [text for text, _ in DIGIT_FORMS + MIXED_FORMS + WORD_FORMS] + UNREADABLE

    assert len(forms) == len(set(forms))


def digits_of_every_kind(written: str) -> tuple[str, str, str]:
    return written, written.translate(ARABIC_INDIC), written.translate(PERSIAN)


@given(st.integers(0, 10**9))
def test_digits_of_every_kind_are_read_back(value: int) -> None:
    assert [number_value(digits) for digits in digits_of_every_kind(str(value))] == [value] * 3


@given(st.integers(1000, 10**12), st.sampled_from("٬,.،\u00a0\u202f"))
def test_grouped_digits_are_read_back(value: int, separator: str) -> None:
    grouped = f"{value:,}".replace(",", separator)

    assert [number_value(digits) for digits in digits_of_every_kind(grouped)] == [value] * 3


@given(st.integers(0, 10**6), st.integers(0, 99), st.sampled_from("٫.,،"))
def test_decimals_with_two_places_are_read_back(head: int, hundredths: int, separator: str) -> None:
    written = f"{head}{separator}{hundredths:02}"

    assert [number_value(digits) for digits in digits_of_every_kind(written)] == [float(f"{head}.{hundredths:02}")] * 3


@given(st.integers(1, 999), st.integers(1, 9), st.sampled_from([("ألف", 10**3), ("مليون", 10**6), ("مليار", 10**9)]))
def test_decimals_before_a_scale_are_exact(head: int, tenth: int, scale: tuple[str, int]) -> None:
    word, size = scale

    assert number_value(f"{head},{tenth} {word}") == (10 * head + tenth) * size // 10


MASCULINE = ["", "واحد", "اثن", "ثلاثة", "أربعة", "خمسة", "ستة", "سبعة", "ثمانية", "تسعة"]
FEMININE = ["", "واحدة", "اثنت", "ثلاث", "أربع", "خمس", "ست", "سبع", "ثماني", "تسع"]
TENS = ["", "", "عشر", "ثلاث", "أربع", "خمس", "ست", "سبع", "ثمان", "تسع"]
HUNDRED_STEMS = ["", "", "", "ثلاث", "أربع", "خمس", "ست", "سبع", "ثمان", "تسع"]
#: The singular, the accusative after 11 to 99, the plural after 3 to 10; the dual adds ان or ين to the singular.
SCALES = [
    (10**9, "مليار", "مليارًا", "مليارات"),
    (10**6, "مليون", "مليونًا", "ملايين"),
    (10**3, "ألف", "ألفًا", "آلاف"),
]


def below_hundred(value: int, units: list[str], oblique: bool) -> str:
    """Return 1 to 99 in words, with the units that count a feminine or a masculine noun."""
    dual = "ين" if oblique else "ان"
    ten, unit = divmod(value, 10)
    if value == 10:
        return "عشر" if units is FEMININE else "عشرة"
    if ten == 1:
        ending = "عشرة" if units is FEMININE else "عشر"
        joined = {1: "إحدى" if units is FEMININE else "أحد", 2: units[2] + dual[0]}
        return f"{joined.get(unit, units[unit])} {ending}"
    word = units[2] + dual if unit == 2 else units[unit]
    tens = TENS[ten] + ("ين" if oblique else "ون") if ten else ""
    return " و".join(part for part in (word, tens) if part)


def below_thousand(value: int, units: list[str], oblique: bool, hundred: str, counted: bool = False) -> str:
    """Return 1 to 999 in words; «مئتا» loses its ن before what it counts."""
    count, rest = divmod(value, 100)
    if count == 2:
        hundreds = hundred[:-1] + ("ت" + ("ين" if oblique else "ان"))[: None if rest or not counted else 2]
    else:
        hundreds = HUNDRED_STEMS[count] + hundred if count else ""
    words = [hundreds, below_hundred(rest, units, oblique) if rest else ""]
    return " و".join(word for word in words if word)


def in_words(value: int, units: list[str], oblique: bool, hundred: str) -> str:
    """Return `value`, 1 to 10**12 - 1, as grammatical Arabic, written apart from the reader under test."""
    words = []
    for size, singular, accusative, plural in SCALES:
        count, value = divmod(value, size)
        if count == 1:
            words.append(singular)
        elif count == 2:
            words.append(singular + ("ين" if oblique else "ان"))
        elif count:
            last = count % 100
            noun = plural if 3 <= last <= 10 else accusative if last > 10 else singular
            words.append(f"{below_thousand(count, MASCULINE, oblique, hundred, counted=True)} {noun}")
    if value:
        words.append(below_thousand(value, units, oblique, hundred))
    return " و".join(words)


numbers = st.one_of(
    st.integers(1, 10**12 - 1),
    st.integers(1, 9999),
    st.builds(lambda digits: int("".join(digits)) or 1, st.lists(st.sampled_from("0012"), min_size=1, max_size=12)),
)


def plainly(words: str) -> str:
    """Return words as hurried typists write them: without hamzas, marks and the dots of ة."""
    return words.translate(str.maketrans("أإآىة", "ااايه", "\u064b"))


@given(numbers, st.sampled_from([MASCULINE, FEMININE]), st.booleans(), st.sampled_from(["مئة", "مائة", "مية"]))
def test_number_words_are_read_back(value: int, units: list[str], oblique: bool, hundred: str) -> None:
    words = in_words(value, units, oblique, hundred)

    assert number_value(words) == value
    assert number_value(words.replace(" و", " و ")) == value
    assert number_value(plainly(words)) == value
    assert number_value("\u0640\u064e\u200f".join(words)) == value


@pytest.mark.parametrize(
    ("value", "units", "oblique", "words"),
    [
        (12, FEMININE, True, "اثنتي عشرة"),
        (222, MASCULINE, False, "مئتان واثنان وعشرون"),
        (200_013, FEMININE, True, "مئتي ألف وثلاث عشرة"),
        (3_011_800, MASCULINE, False, "ثلاثة ملايين وأحد عشر ألفًا وثمانمئة"),
    ],
)
def test_generator_writes_grammatical_arabic(value: int, units: list[str], oblique: bool, words: str) -> None:
    assert in_words(value, units, oblique, "مئة") == words


words_and_noise = st.lists(
    st.one_of(
        st.sampled_from(
            [word for text, _ in WORD_FORMS + MIXED_FORMS for word in text.split()]
            + ["و", "ال", "ر", *DIGITS, "\u064b", "\u00a0", "9" * 40, "و" * 3000]
        ),
        st.text(max_size=3),
    ),
    max_size=8,
)


@given(st.one_of(st.text(), words_and_noise.map(" ".join), words_and_noise.map("".join)))
def test_no_text_raises(text: str) -> None:
    value = number_value(text)

    assert value is None or (type(value) in (int, float) and value >= 0)
    assert not isinstance(value, float) or not value.is_integer()
    assert value is None or any(unicodedata.category(character) in ("Nd", "Lo") for character in text)


@pytest.mark.parametrize("text", ["1" * 10**5, "1," * 10**5, "و" * 10**5, "مئة و" * 10**4, "ألف " * 10**4])
def test_long_texts_are_turned_down_at_once(text: str) -> None:
    assert number_value(text) is None


def test_presentation_forms_of_marks_alone() -> None:
    assert number_value("خم\ufe7eسة") == 5
