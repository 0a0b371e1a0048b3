package credit

import (
	"bytes"
	"encoding/xml"
	"slices"
)

// names are those of XMP (ISO 16684-1) that matter here.
var (
	rdfRDF         = rdf("RDF")
	rdfDescription = rdf("Description")
	rdfItem        = rdf("li")
	dcRights       = xml.Name{Space: "http://purl.org/dc/elements/1.1/", Local: "rights"}
	dcCreator      = xml.Name{Space: dcRights.Space, Local: "creator"}
	language       = xml.Name{Space: "http://www.w3.org/XML/1998/namespace", Local: "lang"}
)

func rdf(name string) xml.Name {
	return xml.Name{Space: "http://www.w3.org/1999/02/22-rdf-syntax-ns#", Local: name}
}

// readXMP reads dc:rights and dc:creator, as a text, an attribute or a list, as far as the packet can be read. Of rights in
// several languages it takes those of the default, or else the first.
func readXMP(packet []byte) Credit {
	decoder := xml.NewDecoder(bytes.NewReader(packet)) // which knows the five entities of XML alone
	decoder.Strict = false
	var path []xml.Name
	said := map[xml.Name][]string{}
	var property xml.Name // that is being read, or none
	for {
		token, err := decoder.Token()
		if err != nil {
			break
		}
		switch token := token.(type) {
		case xml.StartElement:
			switch {
			case token.Name == rdfDescription && len(path) > 0 && path[len(path)-1] == rdfRDF:
				for _, a := range token.Attr {
					said[a.Name] = append(said[a.Name], a.Value)
				}
			case len(path) > 1 && path[len(path)-1] == rdfDescription && path[len(path)-2] == rdfRDF: // and not that of an ingredient
				property = token.Name
				said[property] = append(said[property], "")
			case token.Name == rdfItem && property.Local != "":
				if slices.Contains(token.Attr, xml.Attr{Name: language, Value: "x-default"}) {
					said[property] = nil
				}
				said[property] = append(said[property], "")
			}
			path = append(path, token.Name)
		case xml.CharData:
			if texts := said[property]; property.Local != "" {
				texts[len(texts)-1] += string(token)
			}
		case xml.EndElement:
			if path = path[:len(path)-1]; len(path) > 0 && path[len(path)-1] == rdfDescription {
				property = xml.Name{}
			}
		}
	}
	c := Credit{Creator: joined(said[dcCreator])}
	if rights := given(said[dcRights]); len(rights) > 0 {
		c.Copyright = rights[0]
	}
	return c
}
