package v1alpha1

// Group is the API group of all our kinds, and the prefix of our labels.
const Group = "kubepanel.io"

// Labels that objects made by the operator carry.
const (
	// LabelManagedBy names who keeps the object; its value is ManagedBy.
	LabelManagedBy = "app.kubernetes.io/managed-by"

	// LabelDomain holds the object name of the domain, never the domain itself:
	// a label value has at most 63 characters, a domain up to 253.
	LabelDomain = Group + "/domain"

	// LabelName and LabelComponent tell the pods of a site and of the platform apart.
	LabelName      = "app.kubernetes.io/name"
	LabelComponent = "app.kubernetes.io/component"

	// LabelCronJob names the cron job that a pod or a Job is a run of.
	LabelCronJob = Group + "/cron-job"

	// LabelOwner names the account that a site belongs to.
	LabelOwner = Group + "/owner"
)

// Values of these labels.
const (
	ManagedBy     = "kubepanel"
	ComponentSite = "site"
	ComponentCron = "cron"
)

// Annotations.
const (
	// AnnotationDomainName holds the full domain, which a label can't.
	AnnotationDomainName = Group + "/domain-name"

	// AnnotationRelease set to "true" on a Domain that is being deleted lets it
	// go although something that it owns could not be reached and may be left.
	AnnotationRelease = Group + "/release"

	// AnnotationRestartedAt on a Domain says when somebody asked for a restart of the
	// site; another value makes another pod.
	AnnotationRestartedAt = Group + "/restarted-at"

	// AnnotationPasswordAskedAt on a Domain says when somebody asked for another password
	// of the site's database; another value makes another one. On the Secret with the
	// password it says which value that was made for.
	AnnotationPasswordAskedAt = Group + "/database-password-asked-at"

	// AnnotationPreviousUntil on that Secret says until when the password before is good
	// as well (RFC 3339).
	AnnotationPreviousUntil = Group + "/previous-password-until"

	// AnnotationConfigHash on a pod template changes with configuration that a pod
	// can only take over by starting anew.
	AnnotationConfigHash = Group + "/config-hash"

	// AnnotationConfigWanted on a pod is the configuration that it shall have. Its
	// change makes kubelet bring the files up to date at once, and not in a minute.
	AnnotationConfigWanted = Group + "/config-wanted"

	// AnnotationUsedBytes on a PersistentVolumeClaim tells how many bytes of its volume
	// are used. The storage writes it, when it can (docs/node/storage.md).
	AnnotationUsedBytes = Group + "/used-bytes"

	// AnnotationRoomBytes on a PersistentVolumeClaim without a volume tells how many
	// bytes it could have at most, while that is less than it asks for. The storage
	// writes it, when it can.
	AnnotationRoomBytes = Group + "/room-bytes"

	// AnnotationSession on a DatabaseAccess names the panel's session that it ends with:
	// the hash of the hash of a cookie, which opens nothing.
	AnnotationSession = Group + "/session"

	// AnnotationPurgeCache on a Domain empties the page cache each time it gets
	// another value; a time is a good one.
	AnnotationPurgeCache = Group + "/purge-cache"

	// AnnotationRunCron on a Domain starts a cron job once each time it gets another
	// value: the job's name, a space, and a time.
	AnnotationRunCron = Group + "/run-cron"

	// AnnotationSSLRedirect, AnnotationHTTPSOnly, AnnotationWWWRedirect and
	// AnnotationSuspended on an Ingress tell the edge how to answer for its hosts.
	AnnotationSSLRedirect = Group + "/ssl-redirect"
	AnnotationHTTPSOnly   = Group + "/https-only"
	AnnotationWWWRedirect = Group + "/www-redirect"
	AnnotationSuspended   = Group + "/suspended"
	// AnnotationHTTPSPort names the port of the Ingress's Services that the edge goes to
	// in place of the one in a rule, as soon as it is one with `appProtocol: https` and
	// has pods: a program comes to speak TLS while it is upgraded.
	AnnotationHTTPSPort = Group + "/https-port"
)

// FinalizerDomain stays on a Domain until everything that Kubernetes' own
// garbage collection can't reach has been removed.
const FinalizerDomain = Group + "/domain"

// FinalizerNodeMaintenance stays on a NodeMaintenance until its node is open again.
const FinalizerNodeMaintenance = Group + "/node-maintenance"
