//go:build !heic

package resize

const decodesHEIC = false

func startHEIC(int) {}

func limitHEIC(Limits) {}
