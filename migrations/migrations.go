// Package migrations holds the database's schema, one numbered goose file per change. A migration that has
// landed is never edited.
package migrations

import "embed"

// Files are the migrations, for goose.
//
//go:embed *.sql
var Files embed.FS
