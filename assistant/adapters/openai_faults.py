"""An OpenAI-compatible server: its address, and what the exceptions of openai and LangChain mean.

The exceptions stand in one table, the most specific first, with their meaning in our words.
The class says little: a 429 can be a busy provider or an empty account. So the provider's
own code is looked at first, then the status, then what the connection died of. LangChain's
classes of its own stand in the table, too, which covers the providers whose packages raise
them. A message holds no key and no password, and is one line.
"""

from __future__ import annotations

import math
import re
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from assistant.adapters.provider_calls import Fault, in_seconds
from assistant.domain.errors import (
    ConfigurationError,
    ContentRefused,
    ModelUnknown,
    PromptTooLong,
    ProviderBusy,
    ProviderError,
    ProviderTimedOut,
    ProviderUnauthorized,
    ProviderUnreachable,
    QuotaExhausted,
    ReplyIncomplete,
    ReplyMalformed,
    RequestRejected,
)
from assistant.domain.text import clean

OPENAI_URL = "https://api.openai.com/v1"
PLACEHOLDER_KEY = "none"  # the SDK wants a key, a server of one's own does not

_USUAL_PORTS = {"http": 80, "https": 443}
_RETRIES = 2  # for what passes by itself
_LONGEST_MESSAGE = 200  # characters of a provider's own words
_KEYS = re.compile(
    r"\b(?:sk|pk|rk|gsk|xai|lsv2|key)[-_][\w*.\-]{3,}|\bBearer\s+\S+|\beyJ[\w\-]+\.[\w\-.]+", re.IGNORECASE
)
_SHORTEST_SECRET = 8  # characters; what is shorter is part of many words, and no key
_ILLEGAL_HEADER = re.compile(r"(?<=illegal header value).*", re.IGNORECASE | re.DOTALL)  # the key, escaped
_PASSWORDS = re.compile(r"(?<=://)[^/\s@]+@")

_QUOTA = re.compile(
    r"insufficient_quota|credit_balance|spend_?(?:ing_)?limit|billing_(?:hard_limit|not_active)",
    re.IGNORECASE,
)
# The codes of OpenAI and llama.cpp, and the words of vLLM, of Anthropic and of servers that copy them.
_TOO_LONG = re.compile(
    r"context_length_exceeded|string_above_max_length|exceed_context_size|request_too_large"
    r"|maximum context length|context window|prompt is too long|tokens exceed",
    re.IGNORECASE,
)
_REFUSED = re.compile(
    r"content_policy|content_filter|content management policy|moderation_blocked"
    r"|safety (?:system|filter|reasons)",
    re.IGNORECASE,
)
_NO_MODEL = re.compile(r"model_not_found|unknown_model|invalid_model", re.IGNORECASE)
_NO_KEY = re.compile(r"invalid_api_key|authentication_error", re.IGNORECASE)
_SLOW_DOWN = re.compile(r"slow_down", re.IGNORECASE)
_RATE = re.compile(r"rate_limit|too_many_requests", re.IGNORECASE)
_SERVER = re.compile(r"overloaded|server_error|internal_error|unavailable", re.IGNORECASE)


def host_of(url: str) -> str:
    """The host of a server's address, with its port where it is unusual, and nothing that could be a secret.

    Raises ConfigurationError for what is no address.

    >>> host_of("https://me:secret@LLM.example:8443/v1"), host_of("http://[::1]:80")
    ('llm.example:8443', '[::1]')
    """
    try:
        parts = urlsplit(url)
        scheme, host, port = parts.scheme, parts.hostname, parts.port
    except ValueError:
        scheme, host, port = "", None, None
    if scheme not in _USUAL_PORTS or not host:
        raise ConfigurationError(
            "OPENAI_BASE_URL is no http:// or https:// address, like http://localhost:8000/v1"
        )
    host = f"[{host}]" if ":" in host else host
    return host if port in (None, _USUAL_PORTS[scheme]) else f"{host}:{port}"


def scrubbed(text: str, *secrets: str) -> str:
    """The text in one line of bounded length, without these secrets, other keys, and passwords in addresses.

    >>> scrubbed("Incorrect API key: sk-abc***xyz. See https://me:pw@host/")
    'Incorrect API key: (key). See https://host/'
    """
    for secret in secrets:
        if len(secret) >= _SHORTEST_SECRET:
            text = text.replace(secret, "(key)")
    text = _ILLEGAL_HEADER.sub("", text[: 10 * _LONGEST_MESSAGE])
    text = clean(_PASSWORDS.sub("", _KEYS.sub(_keep_full_stop, text)))
    return text if len(text) <= _LONGEST_MESSAGE else text[:_LONGEST_MESSAGE] + "…"


def _keep_full_stop(key: re.Match[str]) -> str:
    return "(key)." if key.group().endswith(".") else "(key)"


def retry_after(value: str | None, now: datetime) -> float | None:
    """How long a header of this value asks to wait, in seconds; None for one that says nothing usable."""
    if value is None:
        return None
    try:
        seconds = float(value)
    except ValueError:
        try:
            moment = parsedate_to_datetime(value)
        except ValueError:
            return None
        seconds = (moment.replace(tzinfo=moment.tzinfo or UTC) - now).total_seconds()
    return seconds if math.isfinite(seconds) and seconds >= 0 else None


@dataclass(frozen=True, slots=True)
class OpenAIFaults:
    """Turns exceptions into faults of one model at one host.

    key: kept out of every message. setting: where the model is named.
    """

    host: str
    model: str
    key: str = ""
    setting: str = "ASSISTANT_MODEL"

    def fault(self, error: Exception, now: datetime | None = None) -> Fault:
        """What the exception means. now: for dates in Retry-After."""
        case = _Case(self, error, now or datetime.now(UTC))
        for kinds, meaning in table():
            if isinstance(error, kinds):
                return meaning(case)
        if case.status:  # the SDKs of other providers give their errors one, too
            return _status_error(case)
        return Fault(ProviderError(f"{self.host}: {self.scrubbed(f'{type(error).__name__}: {error}')}"))

    def scrubbed(self, text: str) -> str:
        """The text as it may be shown, without this model's key."""
        return scrubbed(text, self.key)


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The exception, what caused it, and so on."""
    link: BaseException | None = error
    for _ in range(10):  # deeper than any library nests; a chain may be a ring
        if link is None:
            return
        yield link
        link = link.__cause__ or link.__context__


@dataclass(frozen=True, slots=True)
class _Case:
    """An exception, with what its provider said in it."""

    provider: OpenAIFaults
    error: Any  # attributes differ by class, and other providers' lack all of them
    now: datetime

    @property
    def host(self) -> str:
        return self.provider.host

    @property
    def status(self) -> int:
        """The HTTP status; in an event, the code where that is a number; or 0."""
        status = getattr(self.error, "status_code", None) or getattr(self.error, "code", None)
        return int(status) if isinstance(status, int | str) and str(status).isdecimal() else 0

    @property
    def marks(self) -> str:
        """What programs are to read: the code and the type of the error."""
        found = (getattr(self.error, name, None) for name in ("code", "type"))
        return " ".join(str(mark) for mark in found if mark)

    @property
    def words(self) -> str:
        """What the provider says, fit to be shown; the code in front."""
        body = getattr(self.error, "body", None)
        said = body.get("message") if isinstance(body, dict) else None
        code = getattr(self.error, "code", None) or getattr(self.error, "type", None)
        status = str(self.status or "")
        return self.provider.scrubbed(
            ": ".join(str(part) for part in (f"{status} {code or ''}".strip(), said) if part)
        )

    @property
    def wait(self) -> float | None:
        """The seconds that the provider asks to wait."""
        headers = getattr(getattr(self.error, "response", None), "headers", {})
        exact = retry_after(headers.get("retry-after-ms"), self.now)
        return exact / 1000 if exact is not None else retry_after(headers.get("retry-after"), self.now)

    def says(self, pattern: re.Pattern[str]) -> bool:
        """Whether code, type or message match."""
        return bool(pattern.search(self.marks) or pattern.search(str(self.error)))


def _by_code(case: _Case) -> Fault | None:
    """What the provider's own words say, whatever the status."""
    if _QUOTA.search(case.marks) or (
        case.status == HTTPStatus.TOO_MANY_REQUESTS and _QUOTA.search(str(case.error))
    ):
        return _quota(case)
    if case.status != HTTPStatus.TOO_MANY_REQUESTS and case.says(_TOO_LONG):
        return _too_long(case)
    if _REFUSED.search(case.marks) or (case.status == HTTPStatus.BAD_REQUEST and case.says(_REFUSED)):
        return _refused(case)
    if _NO_MODEL.search(case.marks):
        return _unknown_model(case)
    if _NO_KEY.search(case.marks):
        return _no_key(case)
    return None


def _status_error(case: _Case) -> Fault:
    """By the provider's words, else by the status."""
    if fault := _by_code(case):
        return fault
    by_status: dict[int, Callable[[_Case], Fault]] = {
        HTTPStatus.UNAUTHORIZED: _no_key,
        HTTPStatus.PAYMENT_REQUIRED: _quota,
        HTTPStatus.FORBIDDEN: _forbidden,
        HTTPStatus.NOT_FOUND: _unknown_model,
        HTTPStatus.REQUEST_TIMEOUT: _server,
        HTTPStatus.CONFLICT: _server,
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE: _too_long,
        HTTPStatus.TOO_MANY_REQUESTS: _busy,
    }
    if case.status in by_status:
        return by_status[case.status](case)
    if case.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return _server(case)
    if HTTPStatus.MULTIPLE_CHOICES <= case.status < HTTPStatus.BAD_REQUEST:
        return Fault(ReplyMalformed(f"{case.host} sends elsewhere ({case.status}); requests do not follow"))
    return _rejected(case)


def _event_error(case: _Case) -> Fault:
    """An error that came as part of a reply: there is no status, only the provider's words."""
    if case.status:
        return _status_error(case)
    if fault := _by_code(case):
        return fault
    if _RATE.search(case.marks) or _SLOW_DOWN.search(case.marks):
        return _busy(case)
    if _SERVER.search(case.marks):
        return _server(case)
    return Fault(ReplyMalformed(f"{case.host} sent an error in place of a reply ({case.words})"))


def _connection(case: _Case) -> Fault:
    """By what the connection died of."""
    import httpx2

    links = list(_chain(case.error))
    if any(isinstance(link, ssl.SSLCertVerificationError) for link in links):
        why = next(link.verify_message for link in links if isinstance(link, ssl.SSLCertVerificationError))
        return Fault(ProviderUnreachable(f"the certificate of {case.host} is not valid: {why}"))
    if any(isinstance(link, httpx2.ConnectTimeout) for link in links):
        return Fault(ProviderUnreachable(f"no connection to {case.host} in time"), retries=1)
    if any(isinstance(link, httpx2.TimeoutException) for link in links):
        return _timeout(case)
    last = links[-1]
    said = (last.strerror if isinstance(last, OSError) else "") or str(last) or type(last).__name__
    reason = case.provider.scrubbed(said)
    if any(isinstance(link, httpx2.UnsupportedProtocol | httpx2.LocalProtocolError) for link in links):
        return _impossible(case, reason)
    if any(isinstance(link, httpx2.ConnectError | httpx2.ProxyError) for link in links):
        return Fault(ProviderUnreachable(f"no connection to {case.host}: {reason}"), retries=1)
    return Fault(ReplyIncomplete(f"the connection to {case.host} broke off: {reason}"), retries=_RETRIES)


def _impossible(case: _Case, reason: str) -> Fault:
    if _ILLEGAL_HEADER.search(reason):
        return _unusable_key(case)
    return Fault(RequestRejected(f"a request to {case.host} cannot be made: {reason}"))


def _timeout(case: _Case) -> Fault:
    return Fault(ProviderTimedOut(f"{case.host} had not finished in time"))


def _no_key(case: _Case) -> Fault:
    # Not in the provider's words: they repeat the key, starred out in the middle.
    return Fault(ProviderUnauthorized(f"{case.host} does not accept the key"))


def _forbidden(case: _Case) -> Fault:
    return Fault(
        ProviderUnauthorized(
            f"{case.host} does not allow this to the key, the account or the region ({case.words})"
        )
    )


def _unknown_model(case: _Case) -> Fault:
    name, setting = case.provider.model, case.provider.setting
    return Fault(ModelUnknown(f"{case.host} has no model {name!r}, which {setting} names ({case.words})"))


def _quota(case: _Case) -> Fault:
    return Fault(QuotaExhausted(f"the account at {case.host} has nothing left ({case.words})"))


def _busy(case: _Case) -> Fault:
    wait = case.wait
    told = "" if wait is None else f", and asks to wait {in_seconds(wait)}"
    return Fault(
        ProviderBusy(f"{case.host} takes no more requests for now{told} ({case.words})"),
        retries=_RETRIES,
        retry_after=wait,
        slow_down=True,
    )


def _server(case: _Case) -> Fault:
    return Fault(
        ProviderUnreachable(f"the server at {case.host} failed ({case.words})"),
        retries=_RETRIES,
        retry_after=case.wait,
        slow_down=bool(_SLOW_DOWN.search(case.marks)),
    )


def _too_long(case: _Case) -> Fault:
    return Fault(
        PromptTooLong(f"the prompt does not fit {case.provider.model!r} at {case.host} ({case.words})")
    )


def _refused(case: _Case) -> Fault:
    return Fault(ContentRefused(f"{case.host} refused the request by its content policy"))


def _rejected(case: _Case) -> Fault:
    return Fault(RequestRejected(f"{case.host} rejected the request ({case.words})"))


def _cut_json(case: _Case) -> Fault:
    return Fault(ReplyMalformed(f"{case.host} sent JSON that breaks off or is none"), retries=1)


def _malformed(case: _Case) -> Fault:
    what = case.provider.scrubbed(f"{type(case.error).__name__}: {case.error}")
    return Fault(ReplyMalformed(f"{case.host} sent no reply in the agreed form ({what})"))


def _unsendable(case: _Case) -> Fault:
    if case.error.encoding == "ascii":  # as headers are, and nothing else
        return _unusable_key(case)
    return Fault(RequestRejected(f"a text has a character that cannot be sent to {case.host}"))


def _unusable_key(case: _Case) -> Fault:
    # Not in the exception's words: they show the key, or a character of it.
    error = RequestRejected(f"the key for {case.host} has a character that cannot be sent")
    error.help = (
        "Check OPENAI_API_KEY: a key is one line of ASCII characters without blanks. So is all that is set"
        " as OPENAI_ORG_ID and OPENAI_PROJECT_ID."
    )
    return Fault(error)


def _incomplete(case: _Case) -> Fault:
    return Fault(ReplyIncomplete(f"the reply of {case.host} broke off"))


Meaning = Callable[[_Case], Fault]


@cache
def table() -> tuple[tuple[tuple[type[BaseException], ...], Meaning], ...]:
    """The vendors' classes and what they mean, the most specific first; built when something first fails."""
    import json

    import httpx2
    import langchain_core.exceptions as langchain
    import openai

    return (
        ((langchain.ContextOverflowError,), _too_long),
        ((openai.APITimeoutError, openai.APIConnectionError), _connection),
        ((openai.APIResponseValidationError,), _malformed),
        ((openai.APIStatusError,), _status_error),
        ((openai.APIError,), _event_error),
        ((openai.LengthFinishReasonError, openai.WebSocketConnectionClosedError), _incomplete),
        ((openai.ContentFilterFinishReasonError, langchain.ModelRefusalError), _refused),
        ((openai.OpenAIError,), _rejected),
        ((httpx2.RequestError, httpx2.StreamError, httpx2.InvalidURL), _connection),
        ((langchain.ModelAuthenticationError,), _no_key),
        ((langchain.ModelPermissionDeniedError,), _forbidden),
        ((langchain.ModelNotFoundError,), _unknown_model),
        ((langchain.ModelRateLimitError,), _busy),
        ((langchain.ModelAPIError,), _server),
        ((langchain.ModelConnectionError,), _connection),
        ((langchain.ModelTimeoutError,), _timeout),
        ((langchain.ModelInvalidRequestError,), _status_error),
        ((langchain.LangChainException,), _malformed),
        ((json.JSONDecodeError,), _cut_json),
        ((UnicodeEncodeError,), _unsendable),
        # LangChain and the SDK read a reply without checking it: what they stumble over, it lacks.
        ((ValueError, TypeError, LookupError, AttributeError), _malformed),
        ((OSError,), _connection),
    )
