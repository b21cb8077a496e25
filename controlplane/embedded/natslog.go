package embedded

import (
	"fmt"
	"log/slog"
)

// serverLog passes the NATS server's lines on. What it notices (start, stop, names of directories) is for
// debugging only.
type serverLog struct{ log *slog.Logger }

func (s serverLog) Noticef(format string, args ...any) {
	s.log.Debug("nats", "line", fmt.Sprintf(format, args...))
}
func (s serverLog) Debugf(format string, args ...any) {
	s.log.Debug("nats", "line", fmt.Sprintf(format, args...))
}
func (s serverLog) Tracef(format string, args ...any) {
	s.log.Debug("nats", "line", fmt.Sprintf(format, args...))
}
func (s serverLog) Warnf(format string, args ...any) {
	s.log.Warn("nats", "line", fmt.Sprintf(format, args...))
}
func (s serverLog) Errorf(format string, args ...any) {
	s.log.Error("nats", "line", fmt.Sprintf(format, args...))
}

// Fatalf only logs: the caller of StartNATS decides what ends.
func (s serverLog) Fatalf(format string, args ...any) {
	s.log.Error("nats", "line", fmt.Sprintf(format, args...))
}
