"""JSON as text, quickly: `json` makes its encoder in C anew for each value, which takes as long as a short one does."""

from collections.abc import Callable
from json import JSONEncoder
from json.encoder import c_make_encoder, encode_basestring_ascii  # type: ignore[attr-defined]
from typing import Any


def made_once(encoder: JSONEncoder) -> Callable[[Any], str]:
    """What `encoder.encode` does, of one without indents; a circle is a RecursionError."""
    if c_make_encoder is None:  # this Python has it in Python alone
        return encoder.encode
    write = c_make_encoder(
        None, encoder.default, encode_basestring_ascii, None, encoder.key_separator, encoder.item_separator,
        encoder.sort_keys, encoder.skipkeys, encoder.allow_nan,
    )  # fmt: skip
    return lambda value: "".join(write(value, 0))
