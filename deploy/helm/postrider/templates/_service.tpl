{{/* A service's settings: its own block over `defaults`. */}}

{{- define "postrider.services" -}}
ingest,dispatcher,retry-scheduler,recorder,control
{{- end -}}

{{/*
Completes a context: `root` and `component` are given; `values` (what holds for this component), `object` (the name of its
objects), `variables` (what its configuration knows), `kafka` and `clickhouse` are added.
*/}}
{{- define "postrider.load" -}}
{{- $own := index .root.Values (camelcase .component | untitle | replace "-" "") -}}
{{- $_ := set . "object" (printf "%s-%s" (include "postrider.fullname" .root) .component) -}}
{{- $_ := set . "values" (mergeOverwrite (deepCopy .root.Values.defaults) (deepCopy $own)) -}}
{{- $_ := set . "variables" (index (.root.Files.Get "files/variables.json" | fromJson) .component) -}}
{{- $_ := set . "kafka" (mergeOverwrite (deepCopy .root.Values.kafka) (include "postrider.strimziUser" . | fromYaml) (deepCopy $own.kafka)) -}}
{{- $_ := set . "clickhouse" (mergeOverwrite (deepCopy .root.Values.clickhouse) (deepCopy (default dict $own.clickhouse))) -}}
{{- end -}}

{{/* How a service signs in as the KafkaUser that the chart makes for it; nothing where there is none. */}}
{{- define "postrider.strimziUser" -}}
{{- $strimzi := .root.Values.strimzi -}}
{{- $isHere := or (empty $strimzi.namespace) (eq $strimzi.namespace .root.Release.Namespace) -}}
{{- if and $strimzi.enabled $strimzi.users.enabled $isHere -}}
{{- if eq $strimzi.users.authentication "tls" -}}
tls:
  client:
    existingSecret: {{ .object }}
    certKey: user.crt
    keyKey: user.key
{{- else -}}
sasl:
  mechanism: scram-sha-512
  username: {{ .object }}
  password:
    existingSecret: {{ .object }}
    key: password
{{- end -}}
{{- end -}}
{{- end -}}

{{/*
How many replicas the Deployment says. With an autoscaler none, because the number is the autoscaler's. But Helm must not take
away a number that it has said before: Kubernetes would go to one replica at once. So where Helm still has the number, it says
the one that runs now. Helm has it no more once server-side apply shows a template without it, and none with it: another program may
apply a part of the template, too. `helm template` sees no cluster.
*/}}
{{- define "postrider.replicas" -}}
{{- if eq .values.autoscaling.kind "none" -}}
{{- .values.replicas -}}
{{- else -}}
{{- with lookup "apps/v1" "Deployment" .root.Release.Namespace .object -}}
{{- $isOthers := false -}}
{{- $isOurs := false -}}
{{- range .metadata.managedFields -}}
{{- $spec := dig "f:spec" dict .fieldsV1 -}}
{{- if and (eq .operation "Apply") (hasKey $spec "f:template") -}}
{{- if hasKey $spec "f:replicas" -}}
{{- $isOurs = true -}}
{{- else -}}
{{- $isOthers = true -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if or $isOurs (not $isOthers) -}}
{{- .spec.replicas -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "postrider.serviceAccountName" -}}
{{- if eq .component "test" -}}
default
{{- else -}}
{{- default .object .values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{/* Ends the rendering with a sentence if the value is empty. */}}
{{- define "postrider.needed" -}}
{{- if empty .value -}}
{{- fail (printf "\n\n%s is empty: %s\n" .path .why) -}}
{{- end -}}
{{- .value -}}
{{- end -}}

{{/* A number as digits: Helm reads numbers as floats and would print 6.7108864e+07. */}}
{{- define "postrider.text" -}}
{{- if or (kindIs "float64" .) (kindIs "int64" .) (kindIs "int" .) -}}
{{- int64 . -}}
{{- else -}}
{{- . -}}
{{- end -}}
{{- end -}}

{{/* What the `postrider` command needs beside control's own settings. Both APIs by their Services, because a pod of control that is not the writer refuses writes. */}}
{{- define "postrider.commandEnvironment" -}}
{{- range list "ingest" "control" }}
- name: {{ printf "POSTRIDER_%s_URL" (upper .) }}
  value: {{ printf "http://%s-%s.%s.svc:%d" (include "postrider.fullname" $) . $.Release.Namespace (int (index $.Values .).service.port) | quote }}
{{- end }}
{{- with .Values.config.POSTRIDER_TIERS }}
- name: POSTRIDER_TIERS
  value: {{ . | quote }}
{{- end }}
{{- end -}}

{{/* The port of a URL or of host:port. */}}
{{- define "postrider.port" -}}
{{- $found := regexFind ":[0-9]+$" (regexReplaceAll "^[a-z]+://([^/?#]*).*$" . "${1}") -}}
{{- if $found -}}
{{- trimPrefix ":" $found -}}
{{- else -}}
{{- ternary "443" "80" (hasPrefix "https://" .) -}}
{{- end -}}
{{- end -}}

{{/* As "postrider.load", for the Jobs and the test: `component` is topics, migrations, jobs or test. */}}
{{- define "postrider.loadJob" -}}
{{- $_ := set . "object" (printf "%s-jobs" (include "postrider.fullname" .root)) -}}
{{- $_ := set . "values" (mergeOverwrite (deepCopy .root.Values.defaults) (deepCopy .root.Values.jobs)) -}}
{{- $_ := set . "kafka" (mergeOverwrite (deepCopy .root.Values.kafka) (deepCopy .root.Values.topics.kafka)) -}}
{{- $_ := set . "clickhouse" (mergeOverwrite (deepCopy .root.Values.clickhouse) (deepCopy (default dict .root.Values.migrations.clickhouse))) -}}
{{- $_ := set . "variables" (default (dict "config" list "secrets" list "connections" list) (index (.root.Files.Get "files/variables.json" | fromJson) .component)) -}}
{{- end -}}
