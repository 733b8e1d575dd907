"""The program that draws one page: `python -m glimpser.capture.pdf.render_main FILE PAGE WIDTH`.

It writes a line of JSON, `{"width", "height", "pages", "text"}` or `{"error"}`, and behind it the JPEG. It is
given a document of strangers, runs native code over it, and may end in any way.
"""

import json
import sys
from collections.abc import Sequence

import numpy as np
import pypdfium2
import simplejpeg

MAX_PIXELS = 50_000_000
MAX_TEXT = 200_000
"""Characters of a page's text that are given."""
QUALITY = 88


def main(arguments: Sequence[str]) -> None:
    path, page, width = arguments[0], int(arguments[1]), int(arguments[2])
    try:
        head, jpeg = _rendered(path, page, width)
    except pypdfium2.PdfiumError as error:
        locked = "password" in str(error).lower()
        reason = "The document is encrypted." if locked else "The document is broken, or no PDF."
        head, jpeg = {"error": reason}, b""
    sys.stdout.buffer.write(json.dumps(head).encode() + b"\n" + jpeg)


def _rendered(path: str, number: int, width: int) -> tuple[dict[str, object], bytes]:
    document = pypdfium2.PdfDocument(path)
    if number > len(document):
        return {"error": f"The document has {len(document)} pages: there is no page {number}."}, b""
    page = document[number - 1]
    width_pt, height_pt = page.get_size()
    if width_pt < 1 or height_pt < 1:
        return {"error": f"Page {number} has no size."}, b""
    scale = width / width_pt
    if width * height_pt * scale > MAX_PIXELS:
        return {"error": f"Page {number} is too long for a width of {width}: choose a smaller one."}, b""
    pixels = np.ascontiguousarray(page.render(scale=scale, rev_byteorder=True).to_numpy()[:, :, :3])
    text = page.get_textpage().get_text_bounded()[:MAX_TEXT]
    head = {"width": pixels.shape[1], "height": pixels.shape[0], "pages": len(document), "text": text}
    return head, bytes(simplejpeg.encode_jpeg(pixels, quality=QUALITY, colorspace="RGB"))


if __name__ == "__main__":
    main(sys.argv[1:])
