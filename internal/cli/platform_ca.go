package cli

import (
	"context"

	"github.com/spf13/cobra"

	"kubepanel.io/kubepanel/internal/hosting"
)

func newPlatformCA(env *Env) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "ca",
		Short: "Print the certificate of the platform's own CA",
		Long: `Print the certificate of the platform's own CA, as PEM. Browsers and programs that
trust it accept the sites' certificates. Trust it only where you trust whoever runs
this platform: a CA can speak for any name.`,
		Example: `  kubepanel platform ca > kubepanel-ca.crt
  curl --cacert kubepanel-ca.crt https://blog.localhost`,
		Args: nothing,
		RunE: func(cmd *cobra.Command, _ []string) error { return platformCA(cmd.Context(), env) },
	}
	env.addOutput(cmd)
	return cmd
}

func platformCA(ctx context.Context, env *Env) error {
	cluster, _, err := env.open()
	if err != nil {
		return err
	}
	pem, err := hosting.CACertificate(ctx, cluster, env.target.Namespace)
	if err != nil {
		return err
	}
	if env.structured() {
		return env.printStructured(struct {
			Certificate string `json:"certificate"`
		}{string(pem)})
	}
	_, err = env.Out.Write(pem)
	return err
}
