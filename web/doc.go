// Package web is the pages: server-rendered HTML over the same fleet operations that the MCP tools call. One file
// and one template per page. Every page works without scripts; static/live.js makes them follow what happens.
//
// Text that came from an agent, a terminal, a client or another person is data: html/template escapes it, and
// line and block take out what could hide or reorder it.
package web
