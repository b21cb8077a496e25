// Package mcptools is what an MCP client sees of Switchboard: seventeen tools, one file each, the resources that it can
// read and subscribe to, the prompts that begin a conversation, and the words that explain them to a model. A tool
// decodes its arguments, calls fleet once, and encodes what came back; it decides nothing, and neither do the others.
// Tools, resourceKinds and Starters list them; the golden files in testdata are what clients have stored, so names,
// schemas and URIs stay.
package mcptools
