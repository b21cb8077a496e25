package fleet

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
	"time"
)

// clean replaces in everything that a host says what Postgres cannot keep: U+0000 in text, which a terminal's
// output can hold. Otherwise one such character would keep a host's outbox from ever emptying.
func clean[T any](said T) T {
	// What came from JSON marshals again.
	text, err := json.Marshal(said)
	if err != nil {
		return said
	}
	var cleaned T
	if err := json.Unmarshal(cleanJSON(text), &cleaned); err != nil {
		return said
	}
	return cleaned
}

// cleanJSON does the same with JSON of any shape, and also makes text of numbers that jsonb has no room for. What
// is no JSON becomes null.
func cleanJSON(text []byte) json.RawMessage {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return json.RawMessage("null")
	}
	cleaned, err := json.Marshal(cleanValue(value))
	if err != nil {
		return json.RawMessage("null")
	}
	return cleaned
}

func cleanValue(value any) any {
	switch v := value.(type) {
	case string:
		return cleanText(v)
	case json.Number:
		return cleanNumber(v)
	case []any:
		for i := range v {
			v[i] = cleanValue(v[i])
		}
	case map[string]any:
		cleaned := make(map[string]any, len(v))
		for key, of := range v {
			cleaned[cleanText(key)] = cleanValue(of)
		}
		return cleaned
	}
	return value
}

func cleanText(s string) string {
	return strings.ToValidUTF8(strings.ReplaceAll(s, "\x00", "\uFFFD"), "\uFFFD")
}

// cleanTime replaces a time that has no form in JSON, which has four digits for a year in UTC. Whoever reads such a one
// would get an error instead of all that it stands among.
func cleanTime(t time.Time) time.Time {
	if year := t.UTC().Year(); year < 0 || year > 9999 {
		return time.Unix(0, 0)
	}
	return t
}

// maxExponent is well inside what numeric, and so jsonb, can hold: 131072 digits before the point and 16383 after.
const maxExponent = 1000

func cleanNumber(n json.Number) any {
	mantissa, exponent, scientific := strings.Cut(strings.ToLower(string(n)), "e")
	power, err := 0, error(nil)
	if scientific {
		power, err = strconv.Atoi(exponent)
	}
	if err != nil || len(mantissa) > maxExponent || power > maxExponent || power < -maxExponent {
		return string(n)
	}
	return n
}
