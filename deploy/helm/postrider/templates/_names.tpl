{{/* Names and labels. Every name begins with the release's, so two releases in one namespace do not clash. */}}

{{- define "postrider.fullname" -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- $full := ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) -}}
{{- $full = default $full .Values.fullnameOverride -}}
{{- if gt (len $full) 40 -}}
{{- /* Two long names that begin alike stay two. */ -}}
{{- printf "%s-%s" ($full | trunc 31 | trimSuffix "-") (sha256sum $full | trunc 8) -}}
{{- else -}}
{{- $full -}}
{{- end -}}
{{- end -}}

{{- define "postrider.selectorLabels" -}}
app.kubernetes.io/name: {{ default .root.Chart.Name .root.Values.nameOverride | trunc 63 | trimSuffix "-" | quote }}
app.kubernetes.io/instance: {{ .root.Release.Name | quote }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{- define "postrider.labels" -}}
{{ include "postrider.selectorLabels" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
{{- with .root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* The metadata of an object: `root`, `component`, `object` (its name), if wanted `annotations`. */}}
{{- define "postrider.metadata" -}}
name: {{ .object }}
namespace: {{ default .root.Release.Namespace .namespace }}
labels:
  {{- include "postrider.labels" . | nindent 2 }}
  {{- with .labels }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- with mergeOverwrite (deepCopy .root.Values.commonAnnotations) (default dict .annotations) }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* The labels and annotations of a pod in a template. */}}
{{- define "postrider.podMetadata" -}}
labels:
  {{- include "postrider.selectorLabels" . | nindent 2 }}
  {{- with mergeOverwrite (deepCopy .root.Values.commonLabels) .values.podLabels }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- with .values.podAnnotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- define "postrider.image" -}}
{{- with .Values.image -}}
{{- if .digest -}}
{{ .repository }}@{{ .digest }}
{{- else -}}
{{ .repository }}:{{ default $.Chart.AppVersion .tag }}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "postrider.topicPrefix" -}}
{{- default (printf "%s." .Release.Name) .Values.config.POSTRIDER_TOPIC_PREFIX -}}
{{- end -}}

{{- define "postrider.database" -}}
{{- default (regexReplaceAll "[^A-Za-z0-9_]" .Release.Name "_") .Values.config.POSTRIDER_CLICKHOUSE_DATABASE -}}
{{- end -}}

{{- define "postrider.sourcesName" -}}
{{- printf "%s-ingest-sources" (include "postrider.fullname" .) -}}
{{- end -}}
