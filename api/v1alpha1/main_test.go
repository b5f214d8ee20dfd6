package v1alpha1_test

import (
	"os"
	"testing"

	"kubepanel.io/kubepanel/internal/kubetest"
)

var cluster *kubetest.Cluster

func TestMain(m *testing.M) { os.Exit(kubetest.Run(m, &cluster)) }
