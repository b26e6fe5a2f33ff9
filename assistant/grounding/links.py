"""Text of a model without anything that could become a link, an image or a tag.

Whatever a surface does with Markdown, HTML or bare addresses, it finds none: addresses that
lead anywhere come from our own records alone. Written with look-alikes (a full-width colon,
a one-dot leader) or invisible characters, an address is one all the same. Chat and mail
clients also make a link of a bare host, and "Booking.com" is the name of a company: such a
one stays where the caller allows it. "U.S./Japan", "24/7" and "AT&T" stay.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from assistant.domain.text import INVISIBLE

REMOVED = "(link removed)"
# What is taken out may bring parts of another link together. So it is repeated until nothing is
# found; a text that needs more rounds than this was built to deceive, and nothing of it is kept.
_ROUNDS = 8


def without_links(text: str, *, allowed: Collection[str] = ()) -> str:
    """The text in which links are only their words.

    allowed: bare hosts that may stay, in lower case, see ``hosts``; with a scheme, a port or a
    path none may.

    >>> without_links("The [minutes](https://a.example/x) say so; see www.b.example.")
    'The minutes say so; see (link removed).'
    >>> without_links("Booking.com fell, drop.com rose.", allowed={"booking.com"})
    'Booking.com fell, (link removed) rose.'
    """
    for _ in range(_ROUNDS):
        after = _round(text, allowed)
        if after == text:
            return text
        text = after
    return ""


def hosts(text: str) -> frozenset[str]:
    """The bare hosts that the text names, in lower case; those in addresses and links are none.

    >>> hosts("Booking.com and https://drop.com/x")
    frozenset({'booking.com'})
    """
    if not _HOST_SIGN.search(text):
        return frozenset()
    plain = _ADDRESS.sub(" ", _folded(INVISIBLE.sub("", text)))
    return frozenset(host.name for host in _hosts(plain) if not host.is_address)


def _round(text: str, allowed: Collection[str]) -> str:
    text = INVISIBLE.sub("", text)
    folded = _folded(text)
    plain = _without(folded, allowed)
    return text if plain == folded else plain


# Look-alikes that are no compatibility forms of what they stand for.
_KIN = str.maketrans(
    {"∕": "/", "⁄": "/", "⧸": "/", "∶": ":", "꞉": ":", "ː": ":", "˸": ":", "։": ":", "。": "."}
)


def _folded(text: str) -> str:
    """The text with look-alikes of ASCII characters as those; it has the same length."""
    if text.isascii():
        return text
    return "".join(
        character if character.isascii() else _plain(character) for character in text.translate(_KIN)
    )


def _plain(character: str) -> str:
    folded = unicodedata.normalize("NFKC", character)
    return folded if len(folded) == 1 and folded.isascii() and folded != " " else character


_PATH = re.compile(r"(?<=\w)\\+(?=[^\W_])")  # no escape, but two words: "Keystone\Getty"
_ENTITY = re.compile(
    r"&(?:(?:amp|#0{0,4}38|#x0{0,4}26);)*(#\d{1,7};|#x[0-9a-f]{1,6};|[a-z]{2,24}\d{0,2};)?", re.IGNORECASE
)
_DEFINITION = re.compile(
    r"^[ \t]{0,9}\[[^\[\]\n]{1,200}\]:[ \t]{0,9}(?:<|/|#|www\.|[a-z][a-z0-9+.-]{1,30}:)[^\n]*$",
    re.IGNORECASE | re.MULTILINE,
)
_LABEL = re.compile(r"^([ \t]{0,9})\[([^\[\]\n]{1,200})\]:", re.MULTILINE)
_TARGET = r"\([^()]{0,2000}(?:\([^()]{0,500}\)[^()]{0,500}){0,5}\)"
_IMAGE = re.compile(rf"!\[[^\[\]]{{0,2000}}\](?:\s?{_TARGET}|\[[^\[\]]{{0,200}}\])?")
_LINK = re.compile(rf"\[([^\[\]]{{0,2000}})\](?:{_TARGET}|\[[^\[\]]{{0,200}}\])")
_SCHEMES = "https?|ftps?|mailto|javascript|vbscript|data|file|tel|sms|blob|wss?"
# They open an application. A few are words, so that what follows must look like the rest of an address.
_APPLICATIONS = (
    "smsto|mms|mmsto|sips?|xmpp|ircs?|callto|skype|facetime(?:-audio)?|whatsapp|tg|geo|webcals?|magnet|ed2k"
    "|ipfs|ipns|gopher|nntp|telnet|ssh|sftp|git|ldaps?|smb|nfs|rdp|vnc|view-source"
    "|itms(?:-[a-z]{1,20})?|ms-[a-z-]{1,30}|search-ms|web\\+[a-z]{1,30}"
)
_AUTOLINK = re.compile(
    r"<\s{0,3}(?:[a-z][a-z0-9+.-]{1,30}:|//|www\.|[^\s<>@|]{1,64}@)[^<>|]*(?:\|([^<>]*))?>",
    re.IGNORECASE,
)
_TAG = re.compile(r"<[^<>\s\d=][^<>]*>")
_BREAK = re.compile(r"<(?:br|/?p|/?li|/?div)\b[^<>]*>", re.IGNORECASE)
_HALF_TAG = re.compile(r"<(?=[a-z/!?@#])", re.IGNORECASE)
_REST = r"[^\s<>\"“”«»]*"
_ADDRESS = re.compile(
    rf"(?:(?<![^\W_])[a-z][a-z0-9+.-]{{0,30}})?:/{{2,}}{_REST}"
    rf"|(?<![^\W_])(?:{_SCHEMES}):(?=[^\s]){_REST}"
    rf"|(?<![^\W_])(?:{_APPLICATIONS}):[\w/?#+%@]{_REST}"
    rf"|(?<![^\W_])(?:bitcoin|ethereum|litecoin|monero):\w{{20}}{_REST}"
    rf"|(?<![\w:/])/{{2,}}[\w-]{{1,63}}\.{_REST}"
    rf"|(?<![^\W_])www\d{{0,3}}\.(?=\w){_REST}"
    rf"|(?<![\w.+-])[\w.+-]++@[\w-]{{1,63}}\.(?=\w){_REST}",
    re.IGNORECASE,
)
_ADDRESS_SIGN = re.compile(r"[:@]|//|www", re.IGNORECASE)  # every address has one; most sentences have none

# A host is a run of labels. Each label is read once, however many there are and whatever stands before.
_HOST = re.compile(r"(?<![\w-])[\w-]++(?:\.[\w-]++)++")
_HOST_SIGN = re.compile(r"\.(?:[^\W\d_]{2}|\d{1,3}[:/])")  # every host that matters has one
_TOP = re.compile(r"(?:xn--[a-z0-9-]{1,59}|[^\W\d_]{2,63}+)(?![^\W_])", re.IGNORECASE)
_ON_HOST = re.compile(rf"\.?(?::\d|/|[?#]\w){_REST}")  # what makes an address of a host
_IP_ADDRESS = re.compile(r"(?:.*\.)?\d{1,3}(?:\.\d{1,3}){3}", re.DOTALL)
# Where a host may end. Without a list, "St.Petersburg", "Node.js" and "Inc.Magazine" would be hosts.
# Those of countries are all there; of the 1,100 others those that are met in the news and in spam, and
# of those in other alphabets the Cyrillic ones, since a Chinese full stop is a dot, too.
_COUNTRIES = (
    "ac ad ae af ag ai al am ao aq ar as at au aw ax az ba bb bd be bf bg bh bi bj bm bn bo br bs bt bw"
    " by bv bz ca cc cd cf cg ch ci ck cl cm cn co cr cu cv cw cx cy cz de dj dk dm do dz ec ee eg er es"
    " et eu fi fj fk fm fo fr ga gb gd ge gf gg gh gi gl gm gn gp gq gr gs gt gu gw gy hk hm hn hr ht hu"
    " id ie il im in io iq ir is it je jm jo jp ke kg kh ki km kn kp kr kw ky kz la lb lc li lk lr ls lt"
    " lu lv ly ma mc md me mg mh mk ml mm mn mo mp mq mr ms mt mu mv mw mx my mz na nc ne nf ng ni nl no"
    " np nr nu nz om pa pe pf pg ph pk pl pm pn pr ps pt pw py qa re ro rs ru rw sa sb sc sd se sg sh si"
    " sj sk sl sm sn so sr ss st su sv sx sy sz tc td tf tg th tj tk tl tm tn to tr tt tv tw tz ua ug uk"
    " us uy uz va vc ve vg vi vn vu wf ws ye yt za zm zw рф рус бел укр срб мкд қаз москва сайт онлайн"
)
_OTHERS = (
    "com org net edu gov mil int arpa onion info biz name pro aero asia cat coop jobs mobi museum post"
    " tel travel xxx academy accountant africa agency amsterdam apartments app army art associates auction"
    " audio auto autos baby band bank bar bargains beauty beer berlin best bet bid bike bio black blog"
    " blue boston boutique broker build builders business buzz cab cafe cam camera camp capital cards care"
    " careers cars casa cash casino center charity chat cheap christmas church city claims cleaning click"
    " clinic clothing cloud club coach codes coffee college community company computer condos consulting"
    " contact contractors cooking cool country coupons credit creditcard cricket cruises cyou dad dance"
    " date dating day deals degree delivery democrat dental design dev diamonds diet digital direct"
    " directory discount doctor dog domains download earth eco education email energy engineer engineering"
    " enterprises equipment esq estate events exchange expert exposed express fail faith family fan fans"
    " farm fashion finance financial fish fit fitness flights florist flowers fm football forex forsale"
    " forum foundation foo free fun fund furniture fyi gallery game games garden gay gift gifts gives"
    " glass global gmbh gold golf graphics gratis green group guide guitars guru hair haus health"
    " healthcare help hockey holdings holiday homes horse hospital host hosting hotels house how icu inc"
    " industries ing ink institute insurance insure international investments irish jetzt jewelry joburg"
    " kaufen kim kitchen kiwi land lat law lawyer lease legal lgbt life lighting limited limo link live"
    " living llc loan loans lol london lotto love ltd luxe luxury maison makeup management market"
    " marketing markets mba media meme memorial men miami mobile moda moe mom money monster mortgage mov"
    " movie music navy network new news nexus ngo ninja now nyc observer office one ong online ooo page"
    " paris partners parts party pet phd photo photography photos pics pictures pink pizza place plumbing"
    " plus poker porn press productions prof promo properties property protection pub quest racing radio"
    " realestate realtor recipes red rehab reise rent rentals repair report republican rest restaurant"
    " review reviews rich rip rocks rodeo rsvp rugby run sale salon sarl school science scot security"
    " select services sex sexy shoes shop shopping show singles site ski skin soccer social software solar"
    " solutions soy space sport spot srl storage store stream studio study style sucks supplies supply"
    " support surf surgery swiss sydney systems tattoo tax taxi team tech technology tennis theater"
    " tickets tips tires today tokyo tools top tours town toys trade trading training trust tube"
    " university uno vacations vegas ventures vet viajes video villas vin vip vision vodka vote voting"
    " voto voyage watch watches wang webcam website wedding wien wiki win wine work works world wtf xin"
    " xyz yachts yoga yokohama you zip zone"
)
_TOPS = frozenset(f"{_COUNTRIES} {_OTHERS}".split())
_IN_BRACKETS = re.compile(rf"\s?\(\s?(?:{re.escape(REMOVED)}\s?)+\)|\s?\[\s?(?:{re.escape(REMOVED)}\s?)+\]")
_ENDS = ".,;:!?'’)]}*_"
_BLANKS = re.compile(r"[ \t]{2,}")


def _without(text: str, allowed: Collection[str]) -> str:
    before = text
    text = _ENTITY.sub(_decoded, _PATH.sub(" ", text).replace("\\", ""))
    text = _LABEL.sub(r"\1\2:", _DEFINITION.sub("", text))
    text = _LINK.sub(r"\1", _IMAGE.sub("", text))
    text = _AUTOLINK.sub(lambda found: found[1] or REMOVED, text)
    text = _TAG.sub("", _BREAK.sub(" ", text))
    text = _HALF_TAG.sub("", text)
    if _ADDRESS_SIGN.search(text):
        text = _ADDRESS.sub(lambda found: _removed(found.group()), text)
    if _HOST_SIGN.search(text):
        text = _without_hosts(text, allowed)
    text = _IN_BRACKETS.sub("", text)
    text = _BLANKS.sub(" ", text).strip()
    return text.replace("](", "] (") if text == before else text


def _decoded(found: re.Match[str]) -> str:
    """What an HTML reference stands for; an ampersand for one that stands for none."""
    named = found[1]
    if not named:
        return "&"
    character = html.unescape(f"&{named}")
    if character in ("\\", "&", "\xa0"):
        return " "
    return f"&{named}" if character == f"&{named}" else character


def _removed(address: str) -> str:
    """The remark in place of an address, and the punctuation behind it, which is not a part of it."""
    end = len(address.rstrip(_ENDS))
    opened = address.count("(", 0, end) - address.count(")", 0, end)
    while opened > 0 and address[end : end + 1] == ")":
        opened, end = opened - 1, end + 1
    return REMOVED + address[end:]


@dataclass(frozen=True, slots=True)
class _Host:
    """A host in a text.

    is_address: whether a port or a path is on it, which ``end`` then includes.
    begins_sentence: whether it is more likely a sentence's end and the next one's beginning: "left.It".
    """

    start: int
    end: int
    name: str
    is_address: bool
    begins_sentence: bool


def _hosts(text: str) -> Iterator[_Host]:
    over = 0
    for found in _HOST.finditer(text):
        start, end = found.span()
        if start < over:
            continue
        start = end - len(found.group().lstrip("-_"))  # marks of emphasis, as a rule
        on_host = _ON_HOST.match(text, end)
        last = text.rindex(".", start, end) + 1
        top = _TOP.match(text, last, end)
        if on_host and (top or _IP_ADDRESS.fullmatch(text, start, end)):
            over = on_host.end()
            yield _Host(start, over, "", is_address=True, begins_sentence=False)
        elif top and _is_top(top.group()):
            name = text[start : top.end()].lower()
            yield _Host(start, top.end(), name, is_address=False, begins_sentence=top.group().istitle())


def _is_top(label: str) -> bool:
    return label.lower() in _TOPS or label[:4].lower() == "xn--"


def _without_hosts(text: str, allowed: Collection[str]) -> str:
    """The text without hosts; two sentences with no blank between them get one."""
    pieces: list[str] = []
    at = 0
    for host in _hosts(text):
        whole = text[host.start : host.end]
        if host.is_address or not (host.name in allowed or host.begins_sentence):
            kept = _removed(whole)
        else:
            kept = whole if host.name in allowed else whole.replace(".", ". ")
        pieces += (text[at : host.start], kept)
        at = host.end
    return "".join(pieces) + text[at:]
