"""XML from outside: no DTD, no entities, size and depth limited; elements become nested objects.

An element with children is an object, one without is its text, a repeated one a list.
"""

import re
import sys
from collections.abc import Mapping
from typing import Any
from xml.etree.ElementTree import Element, ParseError, TreeBuilder, XMLParser

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

from router.channel.contract import Malformed

MAX_BYTES = 1_048_576
MAX_DEPTH = 16
_DECLARES = ("<!DOCTYPE", "<!ENTITY", "<!ELEMENT", "<!ATTLIST", "<!NOTATION")
_DECLARATION = re.compile(r"^\s*<\?xml[^>]{0,200}\?>")
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_REFERENCE = re.compile(r"&#(?:x([0-9a-fA-F]{1,8})|([0-9]{1,10}));")


def read_xml(
    body: bytes, *, max_bytes: int = MAX_BYTES, max_depth: int = MAX_DEPTH
) -> Mapping[str, Any]:
    """Return the children of the root element, or raise `Malformed`.

    What XML cannot carry (control characters, half characters, bytes that are not UTF-8) is
    replaced before parsing: a customer's stray character must not cost us the message.
    """
    if len(body) > max_bytes:
        raise Malformed(f"the body has {len(body)} bytes, expected at most {max_bytes}")
    text = _DECLARATION.sub("", body.decode("utf-8-sig", "replace"))
    text = _REFERENCE.sub(_possible, _NOT_XML.sub("\ufffd", text))
    try:
        root = _parsed(text, max_depth)
    except (ParseError, DefusedXmlException, ValueError) as error:
        raise Malformed(f"the body is not acceptable XML: {error}") from error
    read = _value(root, max_depth)
    if not isinstance(read, dict):
        raise Malformed("the body is XML without any element inside its root")
    return read


def _parsed(text: str, max_depth: int) -> Element:
    """Return the root element.

    A text without the words of a DTD has none, declares no entity, and is safe with the fast
    parser. Where they stand, if only in a customer's words, the careful one looks at them.
    """
    careful = any(word in text for word in _DECLARES)
    parser = (
        DefusedXMLParser(target=_Shallow(max_depth), forbid_dtd=True) if careful else XMLParser()  # noqa: S314  there is no DTD, see above
    )
    parser.feed(text)
    root: Element = parser.close()
    return root


class _Shallow(TreeBuilder):
    """A tree builder that stops at a depth."""

    def __init__(self, deepest: int) -> None:
        super().__init__()
        self._left = deepest

    def start(self, tag: Any, attrs: Any, /) -> Element:
        self._left -= 1
        if self._left < 0:
            raise Malformed("the body is nested too deeply")
        return super().start(tag, attrs)

    def end(self, tag: str, /) -> Element:
        self._left += 1
        return super().end(tag)


def _possible(reference: "re.Match[str]") -> str:
    """Return a character reference as it is, or U+FFFD where XML has no such character."""
    sixteen, ten = reference.groups()
    number = int(sixteen, 16) if sixteen else int(ten)
    possible = number <= sys.maxunicode and not _NOT_XML.match(chr(number))
    return reference.group() if possible else "\ufffd"


def _value(element: Element, left: int) -> Any:
    if left <= 0:
        raise Malformed("the body is nested too deeply")
    if len(element) == 0:
        return element.text or ""
    inside: dict[str, Any] = {}
    for child in element:
        value = _value(child, left - 1)
        if child.tag in inside:
            known = inside[child.tag]
            inside[child.tag] = [*known, value] if isinstance(known, list) else [known, value]
        else:
            inside[child.tag] = value
    return inside
