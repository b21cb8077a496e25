// Package mcptools is what an MCP client sees of Switchboard: seventeen tools, one file each, and the words that
// explain them to a model. A tool decodes its arguments, calls fleet once, and encodes what came back; it decides
// nothing. Tools lists them; the golden files in testdata are what clients have stored, so names and schemas stay.
package mcptools
