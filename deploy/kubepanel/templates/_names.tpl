{{/* Labels of every object of the chart; the name is passed as .name beside the root as .root. */}}
{{- define "kubepanel.labels" -}}
app.kubernetes.io/name: {{ .name }}
{{ include "kubepanel.commonLabels" .root }}
{{- end }}

{{- define "kubepanel.commonLabels" -}}
app.kubernetes.io/part-of: kubepanel
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/instance: {{ .Release.Name }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}

{{/* Pod settings that all our own pods share: never root, nothing writable but what is mounted. */}}
{{- define "kubepanel.podSecurity" -}}
runAsNonRoot: true
runAsUser: {{ .uid }}
runAsGroup: {{ .uid }}
fsGroup: {{ .uid }}
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "kubepanel.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}

{{- define "kubepanel.pullSecrets" -}}
{{- with .Values.images.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- end }}

{{/* Where phpMyAdmin answers; "" without one. */}}
{{- define "kubepanel.databaseHost" -}}
{{- if and .Values.panel.host .Values.images.phpmyadmin -}}
{{ .Values.panel.databaseHost | default (printf "db.%s" .Values.panel.host) }}
{{- end -}}
{{- end }}

{{/* Whether the platform has a scanner of its own; "" when not. */}}
{{- define "kubepanel.ownScanner" -}}
{{- if and .Values.panel.host .Values.images.clamav (not .Values.panel.scanner) -}}yes{{- end -}}
{{- end }}

{{/* Who looks at uploads; "" when nobody does. */}}
{{- define "kubepanel.scanner" -}}
{{- if include "kubepanel.ownScanner" . -}}
tls://clamav.{{ .Release.Namespace }}.svc:3310
{{- else -}}
{{ .Values.panel.scanner }}
{{- end -}}
{{- end }}

{{/* The Secret by which the panel and the scanner know each other; "" when it takes none. */}}
{{- define "kubepanel.scannerSecret" -}}
{{- if include "kubepanel.ownScanner" . -}}
panel-client-tls
{{- else if .Values.panel.scanner -}}
{{ .Values.panel.scannerSecret }}
{{- end -}}
{{- end }}

{{/* What clamd's pod and the one that fetches its signatures share: their volume, and so their node. */}}
{{- define "kubepanel.scannerPod" -}}
{{- with include "kubepanel.pullSecrets" . }}
{{- . }}
{{ end -}}
automountServiceAccountToken: false
enableServiceLinks: false
{{- if .Values.userNamespaces }}
hostUsers: false
{{- end }}
securityContext: {{- include "kubepanel.podSecurity" (dict "uid" 10004) | nindent 2 }}
affinity:
  podAffinity:
    requiredDuringSchedulingIgnoredDuringExecution:
      - topologyKey: kubernetes.io/hostname
        labelSelector: {matchLabels: {app.kubernetes.io/component: scanner, app.kubernetes.io/instance: {{ .Release.Name }}}}
{{- end }}

{{/* The platform's settings file; operator, edge and CLI read the same one. */}}
{{- define "kubepanel.settings" -}}
namespace: {{ .Release.Namespace }}
ingressClass: kubepanel
storageClass: {{ .Values.storageClass | quote }}
userNamespaces: {{ .Values.userNamespaces }}
isolation: {{ toJson .Values.isolation }}
clusterCIDRs: {{ toJson .Values.clusterCIDRs }}
images:
  nginx: {{ .Values.images.nginx | quote }}
  toolbox: {{ .Values.images.toolbox | quote }}
  toolboxGit: {{ .Values.images.toolboxGit | quote }}
  redis: {{ .Values.images.redis | quote }}
  wordpress: {{ .Values.images.wordpress | quote }}
runtimes:
{{- range $type, $runtime := .Values.runtimes }}
  {{- if $runtime.versions }}
  {{ $type }}: {{ toJson $runtime }}
  {{- end }}
{{- end }}
database:
  host: mariadb.{{ .Release.Namespace }}.svc
  port: 3306
mail:
  relayHost: {{ .Values.mail.relayHost | quote }}
  relayPort: {{ .Values.mail.relayPort }}
sftp:
  exposure: {{ .Values.sftp.exposure }}
  trashDays: {{ .Values.sftp.trashDays | int }}
  host: {{ .Values.sftp.host | quote }}
  port: {{ .Values.sftp.port }}
  proxyProtocolFrom: {{ toJson .Values.sftp.proxyProtocolFrom }}
edge:
  service: kubepanel-edge
  httpPort: {{ .Values.edge.httpPort }}
  httpsPort: {{ .Values.edge.httpsPort }}
  proxyProtocolFrom: {{ toJson .Values.edge.proxyProtocolFrom }}
{{- end }}
