package desired

import (
	"net"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// Where a site's nginx tells the operator what became of a configuration, as the
// keepers and start programs wrote it. The edge passes none of them on.
const (
	pathNginxOutcome = "/.kubepanel/config/nginx"
	pathAppOutcome   = "/.kubepanel/config/app"

	pathNginxStatus = "/tmp/keeper/status"
	pathAppStatus   = pathRun + "/app.status"
)

// Outcome is where to ask what became of one program's configuration.
type Outcome struct {
	// Program and Field are for people: who refused, and whose lines are the likely
	// cause; "" when there are none of the customer's.
	Program, Field string
	// Path is asked on the pod's web port; "" for a program that follows its
	// configuration and tells nobody.
	Path string
	// Revision that is wanted.
	Revision string
}

// Outcomes returns what to ask of the site's pod after its configuration, as
// Config returned it, has changed. What is not there is part of the pod's template.
func (s Site) Outcomes(configs []*corev1.ConfigMap) []Outcome {
	outcomes := []Outcome{{Program: "nginx", Path: pathNginxOutcome, Revision: configs[0].Data[KeyRevision]}}
	if s.Domain.Spec.Webserver.CustomConfig != "" {
		outcomes[0].Field = "spec.webserver.customConfig"
	}
	switch {
	case s.keptApp(), s.reportingApp():
		app := Outcome{Program: s.programName(), Path: pathAppOutcome, Revision: configs[1].Data[KeyRevision]}
		if s.Domain.Spec.Workload.CustomConfig != "" {
			app.Field = "spec.workload.customConfig"
		}
		outcomes = append(outcomes, app)
	case s.platformApp():
		outcomes = append(outcomes, Outcome{Revision: configs[1].Data[KeyRevision]})
	}
	return append(outcomes, Outcome{Revision: s.secretsRevision()})
}

// programName is what people call the application's program.
func (s Site) programName() string {
	if s.php() {
		return "PHP"
	}
	return s.Platform.Name(s.Domain.Spec.Workload.Type)
}

// secretsRevision changes with what the spec says about the Secrets' files. Who
// reads them does so each time anew and tells nobody; they only have to get there.
func (s Site) secretsRevision() string {
	return revision(map[string]string{
		keyAuthorizedKeys: strings.Join(s.Domain.Spec.SFTP.AuthorizedKeys, "\n"),
		keyDocumentRoot:   string(s.documentRoot()),
		keyDatabase:       strconv.FormatBool(s.databaseEnabled()),
	})
}

// OutcomeURL is where a pod is asked for an outcome.
func OutcomeURL(podIP string, o Outcome) string {
	return "http://" + net.JoinHostPort(podIP, strconv.Itoa(portHTTP)) + o.Path
}

// ContainerNginx is the container that answers for the site.
const ContainerNginx = containerNginx
