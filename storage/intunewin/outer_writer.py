"""Write the package around the plain inner zip: outer zip, blob, Detection.xml (package 1.1)."""

import zlib
from collections.abc import Callable
from datetime import datetime
from typing import BinaryIO

from storage.intunewin.blob import blob_size
from storage.intunewin.detection_xml import write_detection_xml
from storage.intunewin.dos_time import dos_time
from storage.intunewin.keys import ContentKeys
from storage.intunewin.metadata import PackageMetadata
from storage.intunewin.progress import Progress
from storage.intunewin.reader import CONTENTS_FOLDER, METADATA_NAME
from storage.intunewin.seal import SealedBlob, encrypt_blob
from storage.intunewin.zip_records import OUTER, STORED
from storage.intunewin.zip_stream import ZipStream


def write_package(
    plain: BinaryIO,
    output: BinaryIO,
    *,
    keys: ContentKeys,
    packing_time: datetime,
    file_name: str,
    describe: Callable[[SealedBlob], PackageMetadata],
    progress: Progress,
) -> PackageMetadata:
    """Write the whole package.

    Args:
        plain: The plain inner zip, seekable.
        output: Where the package goes; seekable and empty.
        keys: What to encrypt with.
        packing_time: The local time both entries carry.
        file_name: Name of the blob's entry.
        describe: Gives the metadata once the blob is known.
        progress: Told the plain bytes encrypted.
    """
    plain_size = plain.seek(0, 2)
    plain.seek(0)
    time = dos_time(packing_time)
    with ZipStream(output, OUTER) as outer:
        name = (CONTENTS_FOLDER + file_name).encode()
        entry = outer.begin(name, time, STORED, expected_size=blob_size(plain_size))
        sealed = encrypt_blob(plain, output, keys=keys, progress=progress)
        outer.finish(entry, crc=sealed.crc, size=sealed.size)
        metadata = describe(sealed)
        xml = write_detection_xml(metadata)
        outer.add(METADATA_NAME.encode(), time, xml, crc=zlib.crc32(xml), size=len(xml), method=STORED)
    return metadata
