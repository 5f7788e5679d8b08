"""XMP of a picture (ISO 16684-1): what of it holds for a painting too.

Title, author, rights, keywords, places and the camera are kept. What would be wrong of a painting
is left out: orientation, sizes and the color space, thumbnails, parts of a file that is not there
any more (depth, a short film, HDR), areas in pixels, a panorama's angles, how a raw file was
developed, and identities and history of the photo's file. So is what is unknown here.
"""

from __future__ import annotations

from xml.dom import minidom
from xml.parsers.expat import ExpatError

__all__ = ["keep_xmp"]

_LONGEST = 4_000_000
"""Bytes; most of so much are thumbnails."""

_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_OF_XML = frozenset((_RDF, "http://www.w3.org/2000/xmlns/", "http://www.w3.org/XML/1998/namespace"))
_TIFF = "http://ns.adobe.com/tiff/1.0/"
_OF_THE_PICTURE = frozenset(
    ("Make", "Model", "Software", "DateTime", "ImageDescription", "Artist", "Copyright")
)
"""Of TIFF's properties; the others say how pixels lie in the file."""

_KEPT: dict[str, frozenset[str]] = {
    "http://purl.org/dc/elements/1.1/": frozenset({"format"}),
    "http://ns.adobe.com/xap/1.0/": frozenset({"Thumbnails", "BaseURL", "Format"}),
    "http://ns.adobe.com/xap/1.0/rights/": frozenset(),
    "http://ns.adobe.com/photoshop/1.0/": frozenset(
        {
            *("ColorMode", "ICCProfile", "History", "DocumentAncestors", "TextLayers"),
            *("LegacyIPTCDigest", "EmbeddedXMPDigest", "SidecarForExtension"),
        }
    ),
    "http://ns.adobe.com/exif/1.0/": frozenset(
        {
            *("PixelXDimension", "PixelYDimension", "ColorSpace", "MakerNote", "SubjectArea"),
            *("SubjectLocation", "NativeDigest", "ComponentsConfiguration"),
            *("CompressedBitsPerPixel", "ImageUniqueID"),
        }
    ),
    "http://ns.adobe.com/exif/1.0/aux/": frozenset(),
    "http://cipa.jp/exif/1.0/": frozenset({"InteroperabilityIndex"}),
    "http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/": frozenset(),
    "http://iptc.org/std/Iptc4xmpExt/2008-02-29/": frozenset(
        {"ImageRegion", "DigImageGUID", "DigitalSourceType", "MaxAvailWidth", "MaxAvailHeight"}
    ),
    "http://ns.useplus.org/ldf/xmp/1.0/": frozenset(),
    "http://ns.adobe.com/lightroom/1.0/": frozenset(),
    "http://creativecommons.org/ns#": frozenset(),
    "http://www.digikam.org/ns/1.0/": frozenset(),
    "http://ns.microsoft.com/photo/1.0/": frozenset(),
}
"""What is kept, by namespace, but for these properties."""

_PACKET = '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n{}\n<?xpacket end="w"?>'


def keep_xmp(data: bytes) -> bytes:
    """Return what a painting keeps of its photo's XMP.

    Args:
      data: a packet, as it stands in a file.

    Returns:
      A packet in UTF-8; empty where nothing is kept.

    Raises:
      ValueError: it is damaged, or too long.
    """
    if len(data) > _LONGEST:
        raise ValueError(f"{len(data)} bytes, where {_LONGEST} are expected at most")
    if b"<!DOCTYPE" in data:  # XMP has none, and entities can grow without end
        raise ValueError("expected XMP, got XML with a document type")
    try:
        document = minidom.parseString(data.strip(b"\0 \t\r\n"))
        found = document.getElementsByTagNameNS(_RDF, "RDF")
        kept = [_filter(element) for element in found]
        root = document.documentElement
        text = root.toxml() if root is not None and any(kept) else ""
    except ExpatError as error:
        raise ValueError(f"XML expected: {error}") from error
    except RecursionError as error:
        raise ValueError("nested too deep") from error
    return _PACKET.format(text).encode() if text else b""


def _filter(rdf: minidom.Element) -> bool:
    """Remove from descriptions what is not kept; return whether something is left."""
    left = False
    for node in list(rdf.childNodes):
        if not isinstance(node, minidom.Element):
            continue
        if (node.namespaceURI, node.localName) != (_RDF, "Description"):
            rdf.removeChild(node)
            continue
        for attribute in list(node.attributes.values()):
            if attribute.namespaceURI in _OF_XML:
                continue
            if _is_kept(attribute):
                left = True
            else:
                node.removeAttributeNode(attribute)
        for inner in list(node.childNodes):
            if isinstance(inner, minidom.Element) and _is_kept(inner):
                left = True
            else:
                node.removeChild(inner)
    return left


def _is_kept(node: minidom.Element | minidom.Attr) -> bool:
    space, name = node.namespaceURI, node.localName
    if space == _TIFF:
        return name in _OF_THE_PICTURE
    return space in _KEPT and name not in _KEPT[space]
