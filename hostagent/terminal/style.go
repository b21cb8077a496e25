package terminal

import "strconv"

// style is how a cell is drawn. Hyperlinks are no part of it: the model keeps their text only.
type style struct {
	foreground, background, underlineColour colour
	attributes                              attribute
	underline                               uint8 // 0 none, 1 single, 2 double, 3 curly, 4 dotted, 5 dashed
}

// hash spreads the styles that programs use over 6 bits.
func (s style) hash() uint32 {
	return (uint32(s.foreground) ^ uint32(s.background)<<9 ^ uint32(s.underlineColour)<<5 ^
		uint32(s.attributes)<<16 ^ uint32(s.underline)<<13) * 0x9e3779b1 >> 26
}

// colour is 0 for the default, or palette and an index, or direct and red, green, blue.
type colour uint32

const (
	palette colour = 1 << 24
	direct  colour = 2 << 24
)

type attribute uint16

const (
	bold attribute = 1 << iota
	faint
	italic
	blink
	inverse
	hidden
	struck
	overlined
)

// attributeCodes are the SGR codes that set the attributes, in the order of their bits.
var attributeCodes = [...]int{1, 2, 3, 5, 7, 8, 9, 53}

// appendSGR adds the sequence that sets exactly this style.
func (s style) appendSGR(dst []byte) []byte {
	dst = append(dst, "\x1b[0"...)
	for bit, code := range attributeCodes {
		if s.attributes&(1<<bit) != 0 {
			dst = append(dst, ';')
			dst = strconv.AppendInt(dst, int64(code), 10)
		}
	}
	if s.underline > 0 {
		dst = append(dst, ";4:"...)
		dst = append(dst, '0'+s.underline)
	}
	dst = s.foreground.appendSGR(dst, 38)
	dst = s.background.appendSGR(dst, 48)
	dst = s.underlineColour.appendSGR(dst, 58)
	return append(dst, 'm')
}

func (c colour) appendSGR(dst []byte, code int64) []byte {
	if c == 0 {
		return dst
	}
	dst = append(dst, ';')
	dst = strconv.AppendInt(dst, code, 10)
	if c&direct == 0 {
		dst = append(dst, ";5;"...)
		return strconv.AppendInt(dst, int64(c&0xff), 10)
	}
	dst = append(dst, ";2"...)
	for shift := 16; shift >= 0; shift -= 8 {
		dst = append(dst, ';')
		dst = strconv.AppendInt(dst, int64(c>>shift&0xff), 10)
	}
	return dst
}
