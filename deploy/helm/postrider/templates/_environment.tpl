{{/* The environment of a component, as a list of `name` and `value`. Every secret is a file. */}}
{{- define "postrider.environment" -}}
{{- $values := .root.Values -}}
{{- $config := mergeOverwrite (deepCopy $values.config) (deepCopy (default dict .values.config)) -}}
{{- $_ := set $config "POSTRIDER_TOPIC_PREFIX" (include "postrider.topicPrefix" .root) -}}
{{- $_ := set $config "POSTRIDER_CLICKHOUSE_DATABASE" (include "postrider.database" .root) -}}
{{- range .variables.config }}
{{- if hasKey $config . }}
- name: {{ . }}
  value: {{ include "postrider.text" (index $config .) | quote }}
{{- end }}
{{- end }}
{{- if has "KAFKA_BROKERS" .variables.connections }}
{{- include "postrider.kafkaEnvironment" .kafka | nindent 0 }}
{{- end }}
{{- if and (has "SCHEMA_REGISTRY_URL" .variables.connections) $values.schemaRegistry.url }}
- name: SCHEMA_REGISTRY_URL
  value: {{ $values.schemaRegistry.url | quote }}
{{- with $values.schemaRegistry.username }}
- name: SCHEMA_REGISTRY_USERNAME
  value: {{ . | quote }}
{{- end }}
{{- end }}
{{- if has "CLICKHOUSE_URL" .variables.connections }}
- name: CLICKHOUSE_URL
  value: {{ include "postrider.needed" (dict "path" "clickhouse.url" "value" .clickhouse.url "why" "the address of your ClickHouse's HTTP interface, such as https://clickhouse.data.svc:8443.") | quote }}
{{- with .clickhouse.user }}
- name: CLICKHOUSE_USER
  value: {{ . | quote }}
{{- end }}
{{- end }}
{{- if and (has "CLICKHOUSE_TENANT_USER" .variables.connections) .clickhouse.tenants.user }}
- name: CLICKHOUSE_TENANT_USER
  value: {{ .clickhouse.tenants.user | quote }}
{{- end }}
{{- range include "postrider.secretFiles" . | fromYamlArray }}
- name: {{ .env }}
  value: /etc/postrider/{{ .path }}
{{- end }}
{{- end -}}

{{- define "postrider.kafkaEnvironment" -}}
- name: KAFKA_BROKERS
  value: {{ include "postrider.needed" (dict "path" "kafka.brokers" "value" .brokers "why" "the address of your Kafka, host:port.") | quote }}
{{- if .tls.enabled }}
- name: KAFKA_TLS
  value: "true"
{{- end }}
{{- with .sasl }}
{{- if .mechanism }}
- name: KAFKA_SASL_MECHANISM
  value: {{ .mechanism }}
{{- if has .mechanism (list "plain" "scram-sha-256" "scram-sha-512") }}
- name: KAFKA_SASL_USERNAME
  value: {{ include "postrider.needed" (dict "path" "kafka.sasl.username" "value" .username "why" (printf "kafka.sasl.mechanism is %s, which needs a user." .mechanism)) | quote }}
{{- else if eq .mechanism "oauthbearer" }}
- name: KAFKA_OAUTH_TOKEN_URL
  value: {{ include "postrider.needed" (dict "path" "kafka.sasl.oauth.tokenUrl" "value" .oauth.tokenUrl "why" "kafka.sasl.mechanism is oauthbearer, which needs the token endpoint.") | quote }}
- name: KAFKA_OAUTH_CLIENT_ID
  value: {{ include "postrider.needed" (dict "path" "kafka.sasl.oauth.clientId" "value" .oauth.clientId "why" "kafka.sasl.mechanism is oauthbearer, which needs the client's id.") | quote }}
{{- with .oauth.scope }}
- name: KAFKA_OAUTH_SCOPE
  value: {{ . | quote }}
{{- end }}
{{- else }}
- name: KAFKA_AWS_REGION
  value: {{ include "postrider.needed" (dict "path" "kafka.sasl.aws.region" "value" .aws.region "why" "kafka.sasl.mechanism is aws-msk-iam, which needs the cluster's region.") | quote }}
{{- end }}
{{- end }}
{{- end }}
{{- end -}}
