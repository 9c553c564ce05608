"""The name that an entity's span spells."""

from __future__ import annotations

import regex

from model.normalization import plain
from model.text import IGNORED, check_offsets, is_letter, word_set

#: First words of names that begin with ل and take no article: «للبنان» is ل and «لبنان».
_BARE_NAMES = word_set(
    "لبنان ليبيا ليبيريا ليتوانيا ليسوتو ليختنشتاين لاتفيا لاوس لوكسمبورغ لوكسمبورج لكسمبورغ"
    " لندن لاهاي لاهور لاغوس لاباز لشبونة لوزان لوزيرن لواندا لوساكا لومي ليما ليل ليون لانس لفيف ليماسول"
    " لوس لاس لو لا لي لويزيانا ليفربول ليستر ليدز ليفانتي لاتسيو لازيو لخويا"
    " لينوفو لينكد لينكدإن لوكهيد لوفتهانزا لوموند لوفيغارو ليبراسيون لكزس لاند لوريال لينوكس"
    " لؤي لبيد لبيب لبنى لطفي لطيف لطيفة لقمان لمى لمياء لميس لجين لورا لورين لوران لورانس لورنس لورينزو لوسي لوك"
    " لوكا لوكاس لوكاكو لوكاشينكو لولا لولوة لوبيز لوبين لوجين لويس لويز لويجي لويد لافروف لاغارد لاريجاني لارا لاري"
    " لامبارد لانا لحود ليبرمان لابيد ليلى ليليان لين لينا ليندا ليندسي لينين ليو ليونارد ليوناردو ليونيل"
    " ليز ليزا ليان لاعبي لاعبو لاجئي لاجئو"
)
#: The same, but only before another name: «لخضر بلومي»; alone it is «الخضر».
_BARE_GIVEN_NAMES = frozenset({"لخضر", "لمين"})
#: Nouns that begin with ل themselves, and swallow the article's: «للجنة العليا» is ل and «اللجنة العليا».
_LAM_NOUNS = word_set(
    "له لجنة لجان لواء لاعب لاعبة لاعبات لاجئ لاجئة لاجئات لاذقية لص لصوص لوبي لقاء لقاءات لغة لعبة"
    " لائحة لوائح لوحة لوحات لحوم ليث"
)
_LAM_PLURALS = word_set("لاعبين لاعبون لاجئين لاجئون لبنانيين لبنانيون ليبيين ليبيون لاتينيين ليبراليين")
_LAM_ADJECTIVES = word_set("لبناني لبنانية ليبي ليبية لاتيني لاتينية ليبرالي ليبرالية لوجستي لوجستية")
#: An adjective with the article, after a feminine and after a masculine noun; the rest is a genitive.
_FEMININE = regex.compile(
    r"ال(?!تنمية|توعية|رعاية|حماية|تربية|تغذية|تسوية|تصفية|توصية|مسؤولية|م(?:تابع|راجع|قابل|راقب|ناصح|قاوم|صالح|طابق)ة)"
    r"(?:\p{L}{3,}ية|م\p{L}{3,}ة|عليا|عامة|عاملة|خاصة|دائمة|فنية|طبية|أولى|ثانية|جديدة|سابقة|كبرى)"
)
_MASCULINE = regex.compile(
    r"ال(?!أهلي|نادي)(?:\p{L}{3,}ي|أول|ثالث|رابع|خامس|سادس|سابع|ثامن|تاسع|عاشر|جديد|سابق|شاب|محترف|مصاب|ركن)"
)


def entity_name(text: str, start: int, end: int) -> str:
    """The name that `text[start:end]` spells: letters without tashkeel, tatweel and invisible characters, one space
    for each run of white space, and the article restored after an attached ل: «العراق» for «لعراق» in «للعراق».

    The spelling «للـ» is ambiguous. The name gets an article («اليمن»), unless it begins with ل and takes none
    («لبنان») by a list; nouns that begin with ل, again a list, get theirs back («للجنة العليا» is «اللجنة العليا») when
    an adjective, a number or nothing follows, and stay as they are before a genitive («لجنة الانتخابات»). Of the words
    written «للـ» in SaudiNewsNet, 97 % are of the first kind. Raises `ValueError` if the span does not lie in the text.
    """
    check_offsets(text, start, end)
    name = " ".join(plain(text[start:end]).split())
    if name.startswith("ل") and len(name) > 1 and _follows_lam(text, start):
        return _with_article(name)
    return name


def _follows_lam(text: str, start: int) -> bool:
    """Whether the letters before `start` in its word are the clitic ل, alone or after و or ف."""
    letters = ""
    at = start
    while at > 0 and len(letters) < 3 and (is_letter(text[at - 1]) or IGNORED.match(text[at - 1])):
        at -= 1
        letters = plain(text[at]) + letters
    return letters in ("ل", "ول", "فل")


def _with_article(name: str) -> str:
    first, _, rest = name.partition(" ")
    if first in _BARE_NAMES or (rest and first in _BARE_GIVEN_NAMES):
        return name
    following = rest.partition(" ")[0]
    if first in _LAM_PLURALS or first in _LAM_ADJECTIVES:
        return f"ال{name}" if not rest or following.startswith("ال") else name
    if first in _LAM_NOUNS:
        adjective = _FEMININE if first[-1] in "ةنت" else _MASCULINE
        definite = not rest or following.isdecimal() or adjective.fullmatch(following)
        return f"ال{name}" if definite else name
    return f"ا{name}"
