package v1alpha1

// Conditions that the loop of every kind writes.
const (
	// ConditionReady sums up all others: the object is what its spec asks for.
	ConditionReady = "Ready"
	// ConditionReconciling and ConditionStalled stand only while they are true:
	// work goes on, or nothing goes on until a person changes something.
	ConditionReconciling = "Reconciling"
	ConditionStalled     = "Stalled"
)

// Conditions of a Domain. Each is owned by exactly one step of its reconciler.
const (
	ConditionNamespaceReady      = "NamespaceReady"
	ConditionPVCReady            = "PVCReady"
	ConditionConfigMapReady      = "ConfigMapReady"
	ConditionDeploymentReady     = "DeploymentReady"
	ConditionServiceReady        = "ServiceReady"
	ConditionSFTPServiceReady    = "SFTPServiceReady"
	ConditionIngressReady        = "IngressReady"
	ConditionCertificateReady    = "CertificateReady"
	ConditionDatabaseReady       = "DatabaseReady"
	ConditionDatabaseProvisioned = "DatabaseProvisioned"
	ConditionSFTPReady           = "SFTPReady"
	// ConditionCronJobsReady stands only on a Domain that has or had cron jobs.
	ConditionCronJobsReady  = "CronJobsReady"
	ConditionDKIMReady      = "DKIMReady"
	ConditionBackupPVCReady = "BackupPVCReady"
	ConditionDNSReady       = "DNSReady"
)

// Conditions of a NodeMaintenance.
const (
	ConditionNodeClosed  = "NodeClosed"
	ConditionNodeDrained = "NodeDrained"
)

// Reasons that more than one program looks at.
const (
	// ReasonNameTaken stalls a Domain whose name or alias is an older Domain's.
	ReasonNameTaken = "NameTaken"

	// ReasonRenewed is of a database for which two passwords are good for a while.
	ReasonRenewed = "Renewed"

	// ReasonNoOtherNode keeps a drain from ending: sites stay that no other node could take.
	ReasonNoOtherNode = "NoOtherNode"

	// ReasonSomeStay ends a drain: what is left are no sites, and no other node could take it.
	ReasonSomeStay = "SomeStay"
)
