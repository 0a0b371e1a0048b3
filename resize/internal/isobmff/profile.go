package isobmff

import (
	"encoding/binary"

	"s3resizer/resize/internal/icc"
)

// Profile returns the ICC profile that the CICP code points of a file stand for, or nil if they are sRGB's or there are none.
func Profile(file []byte) []byte {
	properties := box(box(box(file, "meta", 4), "iprp", 0), "ipco", 0)
	nclx := box(properties, "colr", 0)
	if len(nclx) < 8 || string(nclx[:4]) != "nclx" {
		return nil
	}
	colors := map[uint16]icc.Chromaticities{9: icc.BT2020, 12: icc.DisplayP3}[binary.BigEndian.Uint16(nclx[4:])]
	return icc.FromCICP(colors, icc.Transfer(binary.BigEndian.Uint16(nclx[6:])))
}
