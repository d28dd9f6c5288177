{{/*
The one pod template. From the context of "postrider.load": a service, a Job or the test. `args` are those of the `postrider`
command; `ports` and probes are a service's. `initArgs`: a container of the same kind that runs before.
*/}}
{{- define "postrider.podSpec" -}}
{{- $values := .values -}}
{{- $files := include "postrider.secretFiles" . | fromYamlArray -}}
{{- with .root.Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
serviceAccountName: {{ include "postrider.serviceAccountName" . }}
automountServiceAccountToken: false
# Kubernetes would set POSTRIDER_…_PORT for Services of such names, which services would take for settings.
enableServiceLinks: false
securityContext:
  {{- toYaml $values.podSecurityContext | nindent 2 }}
{{- if .restartPolicy }}
restartPolicy: {{ .restartPolicy }}
{{- else }}
terminationGracePeriodSeconds: {{ $values.terminationGracePeriodSeconds }}
{{- end }}
{{- with .initArgs }}
initContainers:
  - name: before
    args:
      {{- toYaml . | nindent 6 }}
    {{- include "postrider.container" (merge (dict "files" $files) $) | nindent 4 }}
{{- end }}
containers:
  - name: {{ .component }}
    args:
      {{- toYaml .args | nindent 6 }}
    {{- include "postrider.container" (merge (dict "files" $files) .) | nindent 4 }}
    {{- if .ports }}
    {{- include "postrider.serving" . | nindent 4 }}
    {{- end }}
{{- if or $files $values.extraVolumes }}
volumes:
  {{- if $files }}
  - name: secrets
    projected:
      # 0440 in octal, which not every reader of YAML takes.
      defaultMode: 288
      sources:
        {{- range $files }}
        - secret:
            name: {{ .secret | quote }}
            items:
              - key: {{ .key | quote }}
                path: {{ .path }}
        {{- end }}
  {{- end }}
  {{- with $values.extraVolumes }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}
{{- include "postrider.scheduling" . }}
{{- end -}}

{{- define "postrider.container" -}}
image: {{ include "postrider.image" .root | quote }}
imagePullPolicy: {{ .root.Values.image.pullPolicy }}
securityContext:
  {{- toYaml .values.containerSecurityContext | nindent 2 }}
env:
  {{- /* A name twice is refused by server-side apply, and a variable beside its own `_FILE` has two values: so extraEnv replaces both. */}}
  {{- $env := list }}
  {{- $named := dict }}
  {{- range .values.extraEnv }}
  {{- $_ := set $named (trimSuffix "_FILE" .name) true }}
  {{- end }}
  {{- range concat (default list .moreEnv) (include "postrider.environment" . | fromYamlArray) }}
  {{- if not (hasKey $named (trimSuffix "_FILE" .name)) }}
  {{- $env = append $env . }}
  {{- end }}
  {{- end }}
  {{- toYaml (concat $env .values.extraEnv) | nindent 2 }}
{{- with .values.extraEnvFrom }}
envFrom:
  {{- toYaml . | nindent 2 }}
{{- end }}
resources:
  {{- toYaml .values.resources | nindent 2 }}
{{- if or .files .values.extraVolumeMounts }}
volumeMounts:
  {{- if .files }}
  - name: secrets
    mountPath: /etc/postrider
    readOnly: true
  {{- end }}
  {{- with .values.extraVolumeMounts }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}
{{- end -}}

{{/* Ports, probes and the pause before the stop. */}}
{{- define "postrider.serving" -}}
ports:
  {{- range .ports }}
  - name: {{ .name }}
    containerPort: {{ .port }}
    protocol: TCP
  {{- end }}
startupProbe:
  httpGet:
    path: /startupz
    port: admin
  {{- toYaml .values.startupProbe | nindent 2 }}
livenessProbe:
  httpGet:
    path: /livez
    port: admin
  {{- toYaml .values.livenessProbe | nindent 2 }}
readinessProbe:
  httpGet:
    path: /readyz
    port: admin
  {{- toYaml .values.readinessProbe | nindent 2 }}
{{- if gt (int .values.preStopSleepSeconds) 0 }}
lifecycle:
  preStop:
    {{- if semverCompare ">=1.30-0" .root.Capabilities.KubeVersion.Version }}
    sleep:
      seconds: {{ .values.preStopSleepSeconds }}
    {{- else }}
    # Kubernetes 1.29 has no `sleep` of its own.
    exec:
      command: [/usr/local/bin/node, -e, "setTimeout(() => undefined, {{ mul .values.preStopSleepSeconds 1000 }})"]
    {{- end }}
{{- end }}
{{- end -}}

{{- define "postrider.scheduling" -}}
{{- $context := . -}}
{{- with .values }}
{{- range $key := list "nodeSelector" "tolerations" "affinity" "hostAliases" "dnsConfig" "priorityClassName" "runtimeClassName" "schedulerName" }}
{{- with index $.values $key }}
{{ $key }}: {{ if kindIs "string" . }}{{ . | quote }}{{ else }}{{ toYaml . | nindent 2 }}{{ end }}
{{- end }}
{{- end }}
{{- if and $context.ports .topologySpreadConstraints }}
topologySpreadConstraints:
  {{- range .topologySpreadConstraints }}
  {{- $selector := dict "matchLabels" (include "postrider.selectorLabels" $context | fromYaml) }}
  -{{ toYaml (merge (deepCopy .) (dict "labelSelector" $selector "matchLabelKeys" (list "pod-template-hash"))) | nindent 4 }}
  {{- end }}
{{- end }}
{{- end }}
{{- end -}}
