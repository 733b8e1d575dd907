"""PDF documents, written by hand."""


def a_pdf(*texts: str, width: int = 200, height: int = 100, trailer: str = "") -> bytes:
    """Write a document with a page for each text (ISO 32000-1, section 7.5); viewers find the objects."""
    count = len(texts)
    kids = " ".join(f"{3 + 2 * index} 0 R" for index in range(count))
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {count} >>",
    ]
    for index, text in enumerate(texts):
        font = "/Resources << /Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >>"
        box = f"/MediaBox [0 0 {width} {height}]"
        drawn = f"BT /F1 20 Tf 20 50 Td ({text}) Tj ET"
        objects += [
            f"<< /Type /Page /Parent 2 0 R {box} /Contents {4 + 2 * index} 0 R {font} >>",
            f"<< /Length {len(drawn)} >>\nstream\n{drawn}\nendstream",
        ]
    body = "%PDF-1.4\n" + "".join(f"{n} 0 obj\n{item}\nendobj\n" for n, item in enumerate(objects, 1))
    return (body + f"trailer << /Root 1 0 R {trailer} >>\n%%EOF\n").encode()
