{{/*
The secrets of a component, each as a file: `env` (the variable that has the file's path), `secret`, `key`, `path` (below
/etc/postrider). Environment and volume are both made from this list.
*/}}
{{- define "postrider.secretFiles" -}}
{{- $values := .root.Values -}}
{{- if has "POSTRIDER_ADMIN_KEY" .variables.secrets }}
- env: POSTRIDER_ADMIN_KEY_FILE
  secret: {{ include "postrider.needed" (dict "path" "secrets.adminKey.existingSecret" "value" $values.secrets.adminKey.existingSecret "why" "name the Secret that holds the bearer key of both APIs, for instance one made by `kubectl create secret generic postrider --from-literal=admin-key=…`.") | quote }}
  key: {{ $values.secrets.adminKey.key | quote }}
  path: admin-key
{{- end }}
{{- if has "POSTRIDER_ENCRYPTION_KEYS" .variables.secrets }}
- env: POSTRIDER_ENCRYPTION_KEYS_FILE
  secret: {{ include "postrider.needed" (dict "path" "secrets.encryptionKeys.existingSecret" "value" $values.secrets.encryptionKeys.existingSecret "why" "name the Secret that holds the keys that seal endpoint secrets (id:base64 of 32 bytes).") | quote }}
  key: {{ $values.secrets.encryptionKeys.key | quote }}
  path: encryption-keys
{{- end }}
{{- if has "KAFKA_BROKERS" .variables.connections }}
{{- include "postrider.kafkaFiles" . }}
{{- end }}
{{- if and (has "SCHEMA_REGISTRY_URL" .variables.connections) $values.schemaRegistry.url }}
{{- include "postrider.registryFiles" $values.schemaRegistry }}
{{- end }}
{{- if has "CLICKHOUSE_URL" .variables.connections }}
{{- with .clickhouse }}
{{- include "postrider.file" (dict "env" "CLICKHOUSE_PASSWORD_FILE" "from" .password "path" "clickhouse/password") }}
{{- include "postrider.file" (dict "env" "CLICKHOUSE_TLS_CA_FILE" "from" .tls.ca "path" "clickhouse/ca.crt") }}
{{- end }}
{{- end }}
{{- if and (has "CLICKHOUSE_TENANT_USER" .variables.connections) .clickhouse.tenants.user }}
{{- include "postrider.file" (dict "env" "CLICKHOUSE_TENANT_PASSWORD_FILE" "from" .clickhouse.tenants.password "path" "clickhouse/tenant-password") }}
{{- end }}
{{- end -}}

{{/* One entry of the list; none if `from` names no Secret. */}}
{{- define "postrider.file" -}}
{{- if .from.existingSecret }}
- env: {{ .env }}
  secret: {{ .from.existingSecret | quote }}
  key: {{ .from.key | quote }}
  path: {{ .path }}
{{- end }}
{{- end -}}

{{- define "postrider.kafkaFiles" -}}
{{- with .kafka.tls }}
{{- if .enabled }}
{{- include "postrider.file" (dict "env" "KAFKA_TLS_CA_FILE" "from" .ca "path" "kafka/ca.crt") }}
{{- include "postrider.clientFiles" (dict "client" .client "prefix" "KAFKA_TLS" "path" "kafka") }}
{{- end }}
{{- end }}
{{- with .kafka.sasl }}
{{- if has .mechanism (list "plain" "scram-sha-256" "scram-sha-512") }}
{{- $_ := include "postrider.needed" (dict "path" "kafka.sasl.password.existingSecret" "value" .password.existingSecret "why" (printf "kafka.sasl.mechanism is %s, so name the Secret that holds the password." .mechanism)) }}
{{- include "postrider.file" (dict "env" "KAFKA_SASL_PASSWORD_FILE" "from" .password "path" "kafka/password") }}
{{- else if eq .mechanism "oauthbearer" }}
{{- $_ := include "postrider.needed" (dict "path" "kafka.sasl.oauth.clientSecret.existingSecret" "value" .oauth.clientSecret.existingSecret "why" "kafka.sasl.mechanism is oauthbearer, so name the Secret that holds the client's secret.") }}
{{- include "postrider.file" (dict "env" "KAFKA_OAUTH_CLIENT_SECRET_FILE" "from" .oauth.clientSecret "path" "kafka/client-secret") }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "postrider.registryFiles" -}}
{{- include "postrider.file" (dict "env" "SCHEMA_REGISTRY_PASSWORD_FILE" "from" .password "path" "registry/password") }}
{{- include "postrider.file" (dict "env" "SCHEMA_REGISTRY_TOKEN_FILE" "from" .token "path" "registry/token") }}
{{- include "postrider.file" (dict "env" "SCHEMA_REGISTRY_TLS_CA_FILE" "from" .tls.ca "path" "registry/ca.crt") }}
{{- include "postrider.clientFiles" (dict "client" .tls.client "prefix" "SCHEMA_REGISTRY_TLS" "path" "registry") }}
{{- end -}}

{{/* A client's certificate and key, for mTLS. */}}
{{- define "postrider.clientFiles" -}}
{{- with .client }}
{{- if .existingSecret }}
- env: {{ $.prefix }}_CERT_FILE
  secret: {{ .existingSecret | quote }}
  key: {{ .certKey | quote }}
  path: {{ $.path }}/client.crt
- env: {{ $.prefix }}_KEY_FILE
  secret: {{ .existingSecret | quote }}
  key: {{ .keyKey | quote }}
  path: {{ $.path }}/client.key
{{- if .keyPasswordKey }}
- env: {{ $.prefix }}_KEY_PASSWORD_FILE
  secret: {{ .existingSecret | quote }}
  key: {{ .keyPasswordKey | quote }}
  path: {{ $.path }}/client.key-password
{{- end }}
{{- end }}
{{- end }}
{{- end -}}
