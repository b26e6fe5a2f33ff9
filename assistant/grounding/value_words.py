"""The words and signs that values are made of: numbers, scales, ordinals, currencies, measures, months."""

from __future__ import annotations


def _numbered(words: str, first: int, step: int = 1) -> dict[str, int]:
    """The words with numbers from the first on; a group of words, parted by commas, has one."""
    groups = words.split(",") if "," in words else words.split()
    return {word: first + step * at for at, group in enumerate(groups) for word in group.split()}


def _grouped(groups: str) -> dict[str, str]:
    """Each word of the groups, parted by commas, with the first of its group."""
    return {word: group.split()[0] for group in groups.split(",") for word in group.split()}


ONES = _numbered(
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen",
    0,
)
TENS = _numbered("twenty thirty forty fifty sixty seventy eighty ninety", 20, 10)
SCALES = {
    "hundred": 1e2,
    "thousand": 1e3,
    "million": 1e6,
    "billion": 1e9,
    "trillion": 1e12,
    "mn": 1e6,
    "bn": 1e9,
    "tn": 1e12,
    "trn": 1e12,
    "dozen": 12.0,
    "score": 20.0,
}
ATTACHED = {"k": 1e3, "m": 1e6, "mn": 1e6, "bn": 1e9, "b": 1e9, "tn": 1e12, "trn": 1e12}
FRACTIONS = {"half": 2, "halves": 2, "third": 3, "thirds": 3, "quarter": 4, "quarters": 4, "fifth": 5}
FRACTIONS |= {"fifths": 5, "sixth": 6, "sixths": 6, "eighth": 8, "eighths": 8, "tenth": 10, "tenths": 10}
ORDINALS = _numbered(
    "second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth "
    "fifteenth sixteenth seventeenth eighteenth nineteenth twentieth",
    2,
) | {"thirtieth": 30, "fortieth": 40, "fiftieth": 50, "hundredth": 100}
ORDINAL_ENDINGS = ("st", "nd", "rd", "th")
TIMES = {"twice": 2.0, "double": 2.0, "doubled": 2.0, "doubles": 2.0, "doubling": 2.0, "twofold": 2.0}
TIMES |= {"triple": 3.0, "tripled": 3.0, "tripling": 3.0, "threefold": 3.0, "thrice": 3.0, "quadrupled": 4.0}
SOME = {"tens": 10.0, "dozens": 12.0, "scores": 20.0, "hundreds": 1e2, "thousands": 1e3, "millions": 1e6}
SOME |= {"billions": 1e9, "trillions": 1e12}
MOST = 1e15
PARTS = 100  # "one in a hundred" and less are shares
SIGNS = {"$": "$", "€": "€", "£": "£", "¥": "¥", "₹": "rupee", "₽": "rouble", "₩": "won"}
CURRENCIES = _grouped(
    "$ dollar buck,€ euro,pound,£ sterling,¥ yen,yuan renminbi,rupee,rouble ruble,won,franc,peso,"
    "krona kronor krone kroner crown koruna,lira,rand,real reais,shekel,dirham,riyal,dinar,rupiah,"
    "ringgit,baht,forint,zloty zlotys,hryvnia,shilling,naira,guilder,peseta"
)
MEASURES = _grouped(
    "km kilometer kilometre kms,m meter metre,cm centimeter centimetre,mm millimeter millimetre,"
    "mile mi,yard yd,foot feet ft,inch,kg kgs kilogram kilo,gram gramme,mg milligram,microgram,tonne,"
    "ton,pound lb lbs,ounce oz,acre,hectare ha,liter litre,gallon,barrel,degree,mph,kph kmh,"
    "megawatt mw,gigawatt gw,kilowatt kw,volt,kilobyte kb,megabyte mb,gigabyte gb,second sec,"
    "minute min mins,hour hr hrs,day,week,month,year yr yrs,decade,century centuries"
)
MONTHS = _numbered(
    "january jan,february feb,march mar,april apr,may,june jun,july jul,august aug,september sept sep,"
    "october oct,november nov,december dec",
    1,
)
HALVES = {"a.m": 0, "am": 0, "p.m": 12, "pm": 12}
PARTS_OF_DAY = {"morning": 0, "afternoon": 12, "evening": 12}
NAMED_TIMES = {"noon": "12:00", "midday": "12:00", "midnight": "0:00"}
DOLLARS = ("us", "america", "american", "canadian", "australian")
