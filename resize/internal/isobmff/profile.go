package isobmff

import (
	"encoding/binary"

	"s3resizer/resize/internal/icc"
)

// Profile returns the profile that the file's CICP code points stand for, or nil where they are sRGB's. libvips heeds
// ICC profiles alone.
func Profile(file []byte) []byte {
	properties := box(box(box(file, "meta", 4), "iprp", 0), "ipco", 0)
	nclx := box(properties, "colr", 0)
	if len(nclx) < 8 || string(nclx[:4]) != "nclx" {
		return nil
	}
	colors := map[uint16]icc.Chromaticities{9: icc.BT2020, 12: icc.DisplayP3}[binary.BigEndian.Uint16(nclx[4:])]
	return icc.FromCICP(colors, icc.Transfer(binary.BigEndian.Uint16(nclx[6:])))
}
