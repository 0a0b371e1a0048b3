package credit

import (
	"bytes"
	"encoding/binary"
)

// Photoshop is what the resources of Photoshop begin with in a JPEG, one of which is IPTC's.
const Photoshop = "Photoshop 3.0\x00"

// readIPTC reads the data sets of IPTC-IIM 4.2, by themselves or among the resources of Photoshop.
func readIPTC(block []byte) (c Credit) {
	if resources, found := bytes.CutPrefix(block, []byte(Photoshop)); found {
		block = resource(resources)
	}
	var creators []string
	for len(block) >= 5 && block[0] == 0x1c {
		record, number, length := block[1], block[2], int(binary.BigEndian.Uint16(block[3:]))
		if length > len(block)-5 { // or an extended one, of 32 KiB or more
			break
		}
		switch value := string(block[5 : 5+length]); {
		case record == 2 && number == 80:
			creators = append(creators, value)
		case record == 2 && number == 116:
			c.Copyright = value
		}
		block = block[5+length:]
	}
	c.Creator = joined(creators)
	return c
}

// resource returns the first resource of IPTC (Adobe Photoshop File Formats Specification, Image Resource Blocks).
func resource(all []byte) []byte {
	even := func(n int) int { return n + n%2 }
	for len(all) >= 12 && string(all[:4]) == "8BIM" {
		id, at := binary.BigEndian.Uint16(all[4:]), 6+even(1+int(all[6])) // behind the name
		if at+4 > len(all) {
			return nil
		}
		length := int(binary.BigEndian.Uint32(all[at:]))
		if all = all[at+4:]; length > len(all) {
			return nil
		}
		if id == 0x0404 {
			return all[:length]
		}
		all = all[min(even(length), len(all)):]
	}
	return nil
}
