{{/* Whose lag is work: group and topic, below the prefix; `name`: a topic of others. The tiers are not here: a record waits in them by intent. */}}
{{- define "postrider.lag" -}}
{{- if eq .component "ingest" }}
- {group: route, topic: events}
{{- range .root.Values.ingest.sources }}
- {group: {{ printf "route.%s" .topic | quote }}, name: {{ .topic | quote }}}
{{- end }}
{{- else if eq .component "dispatcher" }}
- {group: dispatcher, topic: deliveries}
{{- else if eq .component "recorder" }}
- {group: recorder.intake, topic: intake}
- {group: recorder.attempts, topic: attempts}
- {group: recorder.dead-letters, topic: dead-letters}
- {group: recorder.signals, topic: signals}
- {group: recorder.audit, topic: audit}
{{- end }}
{{- end -}}

{{- define "postrider.kedaMechanism" -}}
{{- index (dict "plain" "plaintext" "scram-sha-256" "scram_sha256" "scram-sha-512" "scram_sha512" "oauthbearer" "oauthbearer" "aws-msk-iam" "oauthbearer") . -}}
{{- end -}}

{{/* The spec of a TriggerAuthentication from the same Kafka block: KEDA signs in as the service does. Empty where nothing is needed. */}}
{{- define "postrider.kedaAuthentication" -}}
{{- $secrets := list -}}
{{- $env := list -}}
{{- with .kafka.tls -}}
{{- if and .enabled .ca.existingSecret -}}
{{- $secrets = append $secrets (dict "parameter" "ca" "name" .ca.existingSecret "key" .ca.key) -}}
{{- end -}}
{{- if and .enabled .client.existingSecret -}}
{{- $secrets = append $secrets (dict "parameter" "cert" "name" .client.existingSecret "key" .client.certKey) -}}
{{- $secrets = append $secrets (dict "parameter" "key" "name" .client.existingSecret "key" .client.keyKey) -}}
{{- if .client.keyPasswordKey -}}
{{- $secrets = append $secrets (dict "parameter" "keyPassword" "name" .client.existingSecret "key" .client.keyPasswordKey) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- with .kafka.sasl -}}
{{- if has .mechanism (list "plain" "scram-sha-256" "scram-sha-512") -}}
{{- $env = append $env (dict "parameter" "username" "name" "KAFKA_SASL_USERNAME" "containerName" $.component) -}}
{{- $secrets = append $secrets (dict "parameter" "password" "name" .password.existingSecret "key" .password.key) -}}
{{- else if eq .mechanism "oauthbearer" -}}
{{- $env = append $env (dict "parameter" "username" "name" "KAFKA_OAUTH_CLIENT_ID" "containerName" $.component) -}}
{{- $env = append $env (dict "parameter" "oauthTokenEndpointUri" "name" "KAFKA_OAUTH_TOKEN_URL" "containerName" $.component) -}}
{{- if .oauth.scope -}}
{{- $env = append $env (dict "parameter" "scopes" "name" "KAFKA_OAUTH_SCOPE" "containerName" $.component) -}}
{{- end -}}
{{- $secrets = append $secrets (dict "parameter" "password" "name" .oauth.clientSecret.existingSecret "key" .oauth.clientSecret.key) -}}
{{- else if eq .mechanism "aws-msk-iam" -}}
podIdentity:
  provider: aws
  identityOwner: workload
{{- end -}}
{{- end -}}
{{- with $env }}
env:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $secrets }}
secretTargetRef:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}
