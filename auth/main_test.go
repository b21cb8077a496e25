package auth_test

import (
	"testing"

	"switchboard/controlplane/embedded/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }
