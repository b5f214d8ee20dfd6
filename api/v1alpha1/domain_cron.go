package v1alpha1

// CronJob is a command that runs at set times in a pod of its own, with the image,
// files, variables and database of the site's program.
//
// +kubebuilder:validation:XValidation:rule="has(self.command) != has(self.shell)",message="give either command, a list of words, or shell, a line"
type CronJob struct {
	// Name of the job within the site.
	// +kubebuilder:validation:MaxLength=40
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-z0-9]([a-z0-9-]*[a-z0-9])?$')",message="use lower-case letters, digits and hyphens, with a letter or digit at both ends"
	Name string `json:"name"`

	// Schedule says when, as crontab(5) does: minute, hour, day of the month, month and
	// day of the week, or one of @hourly, @daily, @weekly, @monthly, @yearly.
	// +kubebuilder:validation:MaxLength=100
	// +kubebuilder:validation:XValidation:rule="self.matches('^(@(hourly|daily|midnight|weekly|monthly|yearly|annually)|[0-9A-Za-z*/,?-]+( +[0-9A-Za-z*/,?-]+){4})$')",message="give five fields, such as 30 4 * * *, or one of @hourly, @daily, @weekly, @monthly, @yearly"
	Schedule string `json:"schedule"`

	// Timezone of the schedule, an IANA name; the site's when left out.
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:XValidation:rule="self.matches('^[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9][A-Za-z0-9_+-]*){0,2}$')",message="give the IANA name of a time zone, such as UTC or Europe/Berlin"
	// +optional
	Timezone string `json:"timezone,omitempty"`

	// Command is the program with its arguments, a word each. No shell reads them.
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=100
	// +kubebuilder:validation:items:MaxLength=4096
	// +listType=atomic
	// +optional
	Command []string `json:"command,omitempty"`

	// Shell is a line for /bin/sh of the site's image, in place of command.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=4096
	// +optional
	Shell string `json:"shell,omitempty"`

	// Suspended begins no run until it is false again.
	// +optional
	Suspended bool `json:"suspended,omitempty"`

	// TimeoutSeconds ends a run that takes longer.
	// +kubebuilder:default=3600
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=86400
	// +optional
	TimeoutSeconds int32 `json:"timeoutSeconds,omitempty"`
}
