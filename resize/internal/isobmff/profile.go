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
	number := func(at int) int { return int(binary.BigEndian.Uint16(nclx[at:])) }
	return icc.FromCICP(icc.Primaries(number(4)), icc.Transfer(number(6)), false)
}
