package main

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"kubepanel.io/kubepanel/node/phase"
)

func purgeCommand(t *target) *cobra.Command {
	var yes bool
	command := &cobra.Command{
		Use:   "purge",
		Short: "Stop the machine and delete every site and all data on it (asks first)",
		Example: `  node purge                     asks for the machine's name
  node purge --machine lab --yes`,
		Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			m, err := t.ownMachine()
			if err != nil {
				return err
			}
			if _, err := os.Stat(m.Dir()); errors.Is(err, os.ErrNotExist) {
				fmt.Fprintf(command.OutOrStdout(), "machine %s is not there\n", m.Name)
				return nil
			}
			if !yes {
				fmt.Fprintf(command.OutOrStdout(), "This deletes every site, database and file on machine %s, for good.\nType its name to go on: ", m.Name)
				answer, _ := bufio.NewReader(command.InOrStdin()).ReadString('\n')
				if strings.TrimSpace(answer) != m.Name {
					return errors.New("nothing was deleted: the name was not typed")
				}
			}
			lock, err := m.Lock(command.Context(), command.ErrOrStderr())
			if err != nil {
				return err
			}
			defer lock.Close()
			settings, _, err := m.Settings()
			if err != nil {
				return err
			}
			place := phase.PlaceOf(m, settings)
			if err := place.Stop(command.Context()); err != nil {
				return err
			}
			if err := place.Remove(command.Context()); err != nil {
				return err
			}
			fmt.Fprintf(command.OutOrStdout(), "machine %s and all on it are gone\n", m.Name)
			return nil
		},
	}
	command.Flags().BoolVar(&yes, "yes", false, "do not ask")
	return command
}
