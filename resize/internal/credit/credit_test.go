package credit

import (
	"bytes"
	"image"
	"image/jpeg"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"s3resizer/resize/internal/exif"
)

func packet(inside string) []byte {
	return []byte(`<?xpacket begin="` + "\ufeff" + `"?><x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:d="http://purl.org/dc/elements/1.1/">` +
		inside + `</rdf:RDF></x:xmpmeta><?xpacket end="w"?>`)
}

func dataSet(record, number byte, value string) string {
	return string([]byte{0x1c, record, number, byte(len(value) >> 8), byte(len(value))}) + value
}

func TestEachWayToSayIt(t *testing.T) {
	both := Credit{"© Ann & Bob", "Ann; Bob"}
	iptc := dataSet(1, 90, "\x1b%G") + dataSet(2, 80, "Ann") + dataSet(2, 5, "title") + dataSet(2, 80, "Bob") + dataSet(2, 116, "© Ann & Bob")
	for name, c := range map[string]struct {
		blocks Blocks
		want   Credit
	}{
		"nothing":                     {},
		"EXIF":                        {Blocks{EXIF: both.EXIF()}, both},
		"without its name":            {Blocks{EXIF: both.EXIF()[6:]}, both},
		"a short text":                {Blocks{EXIF: Credit{Creator: "A"}.EXIF()}, Credit{Creator: "A"}},
		"two parts":                   {Blocks{EXIF: Credit{Copyright: "Ann\x00Bob\x00"}.EXIF()}, Credit{Copyright: "Ann; Bob"}},
		"the editor's part alone":     {Blocks{EXIF: Credit{Copyright: " \x00Bob"}.EXIF()}, Credit{Copyright: "Bob"}},
		"Latin-1":                     {Blocks{EXIF: Credit{Copyright: "\xa9 Bj\xf8rn"}.EXIF()}, Credit{Copyright: "© Bjørn"}},
		"IPTC":                        {Blocks{IPTC: []byte(iptc)}, both},
		"IPTC in Photoshop's":         {Blocks{IPTC: []byte(Photoshop + "8BIM\x04\x25\x00\x00\x00\x00\x00\x03abc\x00" + "8BIM\x04\x04\x01n\x00\x00\x00" + string(rune(len(iptc))) + iptc)}, both},
		"XMP in lists":                {Blocks{XMP: packet(`<rdf:Description><d:rights><rdf:Alt><rdf:li xml:lang="de">nein</rdf:li><rdf:li xml:lang="x-default">© Ann &amp; Bob</rdf:li></rdf:Alt></d:rights><d:creator><rdf:Seq><rdf:li>Ann</rdf:li><rdf:li>Bob</rdf:li></rdf:Seq></d:creator></rdf:Description>`)}, both},
		"XMP in attributes":           {Blocks{XMP: packet(`<rdf:Description d:rights="© Ann &amp; Bob" d:creator="Ann; Bob"/>`)}, both},
		"XMP of an ingredient":        {Blocks{XMP: packet(`<rdf:Description><i:of xmlns:i="i"><rdf:Description><d:rights>no</d:rights></rdf:Description></i:of></rdf:Description>`)}, Credit{}},
		"XMP cut short":               {Blocks{XMP: packet(`<rdf:Description d:creator="Ann"><d:rights>`)[:250]}, Credit{Creator: "Ann"}},
		"EXIF before IPTC before XMP": {Blocks{EXIF: Credit{Creator: "E"}.EXIF(), IPTC: []byte(dataSet(2, 80, "I") + dataSet(2, 116, "I")), XMP: packet(`<rdf:Description d:rights="X" d:creator="X"/>`)}, Credit{"I", "E"}},
		"one that is blank":           {Blocks{EXIF: Credit{Creator: "  \x01"}.EXIF(), XMP: packet(`<rdf:Description d:creator="X"/>`)}, Credit{Creator: "X"}},
		"control characters":          {Blocks{EXIF: Credit{Creator: "\n Ann\t\u0085\u009b \x1b[31mBob "}.EXIF()}, Credit{Creator: "Ann [31mBob"}},
		"a long one":                  {Blocks{EXIF: Credit{Copyright: strings.Repeat("ü", 5000)}.EXIF()}, Credit{Copyright: strings.Repeat("ü", maxText/2)}},
	} {
		if got := Read(c.blocks); got != c.want {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
}

func TestInAJPEG(t *testing.T) {
	var file bytes.Buffer
	if err := jpeg.Encode(&file, image.NewGray(image.Rect(0, 0, 8, 8)), nil); err != nil {
		t.Fatal(err)
	}
	jfif := append([]byte("\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00"), file.Bytes()[2:]...)
	block := Credit{Creator: "Ann"}.EXIF()
	for name, c := range map[string]struct {
		file []byte
		at   int
	}{"behind JFIF's": {jfif, 20}, "without that": {file.Bytes(), 2}} {
		with := InJPEG(c.file, block)
		if _, err := jpeg.Decode(bytes.NewReader(with)); err != nil || !bytes.Equal(with[c.at+4:][:len(block)], block) {
			t.Errorf("%s: %v", name, err)
		}
		if got := InJPEG(c.file, nil); !bytes.Equal(got, c.file) {
			t.Errorf("%s: there was nothing to add", name)
		}
	}
}

// Whatever the bytes, what is written is short, plain, and what was read.
func FuzzRead(f *testing.F) {
	f.Add(Credit{"©", "A"}.EXIF(), []byte(dataSet(2, 80, "I")), packet(`<rdf:Description d:rights="X"/>`))
	f.Add([]byte("II*\x00\x08\x00\x00\x00\x01\x00\x98\x82\x02\x00\xff\xff\xff\xff\xff\xff\xff\xff"), []byte(Photoshop+"8BIM\x04\x04\xff\x00"), []byte("<a><b></a>"))
	f.Fuzz(func(t *testing.T, exifBlock, iptc, xmp []byte) {
		c := Read(Blocks{exifBlock, iptc, xmp})
		for _, text := range []string{c.Copyright, c.Creator} {
			if len(text) > maxText || !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl) || strings.TrimSpace(text) != text {
				t.Errorf("%q", text)
			}
		}
		if got := Read(Blocks{EXIF: c.EXIF()}); got != c {
			t.Errorf("%+v is read as %+v", c, got)
		}
		if n := len(exif.Text(c.EXIF(), exif.Copyright)); n > 0 && n < 5 {
			t.Errorf("a text of %d bytes does not stand where it is said to", n)
		}
	})
}
