"""Make the font of the formulas: `python tools/make_math_font.py STIXMath-Regular.otf`.

Needs `pip install fonttools brotli` and the file of STIX 1.1.1 (Debian: fonts-stix). What formulas
on the pages may need is kept, with all sizes of brackets and sums. The license asks for another
name.
"""

import sys
from pathlib import Path

from fontTools import subset

NAME = "minicnn Math"
CHARACTERS = (
    "20-7E,A0,A7,AC,B1,B7,D7,F7,302-304,307,308,20D7,391-3C9,3D1,3D5,3F1,3F5,2013,2014,2016,2020,"
    "2026,2032-2034,2044,2061-2064,2102,210E,2113,2115,211A,211D,2124,2190-2195,21A6,21D0-21D4,"
    "2200-220D,2211-221E,2223,2225,2227-222B,2234,223C,2243,2245,2248,2260,2261,2264,2265,226A,"
    "226B,2282-2287,2295-2299,22A4,22A5,22C0-22C6,22EE-22F1,2308-230B,23DE,23DF,25A0,25A1,27E8,"
    "27E9,1D400-1D467,1D49C-1D4CF,1D538-1D56B,1D6A4,1D6A5,1D6A8-1D71B"
)
FONT = Path(__file__).parent.parent / "docs" / "static" / "minicnn-math.woff2"
NAMES_OF_THE_FONT = (1, 3, 4, 6, 16, 18)


def main() -> None:
    """Write the font."""
    options = subset.Options(flavor="woff2", hinting=False, layout_features=["*"])
    options.desubroutinize = True
    options.drop_tables += ["FFTM"]
    font = subset.load_font(sys.argv[1], options)
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=subset.parse_unicodes(CHARACTERS))
    subsetter.subset(font)
    for record in font["name"].names:
        if record.nameID in NAMES_OF_THE_FONT:
            record.string = NAME.replace(" ", "") if record.nameID == 6 else NAME
    subset.save_font(font, str(FONT), options)


main()
