{{/* The ports of a service's brokers, with commas. */}}
{{- define "postrider.kafkaPorts" -}}
{{- $ports := list -}}
{{- range splitList "," .kafka.brokers -}}
{{- $ports = append $ports (regexFind "[0-9]+$" (trim .)) -}}
{{- end -}}
{{- range .root.Values.networkPolicy.kafka.extraPorts -}}
{{- $ports = append $ports (toString .) -}}
{{- end -}}
{{- $ports | uniq | join "," -}}
{{- end -}}

{{- define "postrider.signInPort" -}}
{{- if eq .kafka.sasl.mechanism "oauthbearer" -}}
{{- include "postrider.port" .kafka.sasl.oauth.tokenUrl -}}
{{- else if eq .kafka.sasl.mechanism "aws-msk-iam" -}}
443
{{- end -}}
{{- end -}}

{{- define "postrider.tracesPort" -}}
{{- $config := mergeOverwrite (deepCopy .root.Values.config) (deepCopy .values.config) -}}
{{- if has "OTEL_EXPORTER_OTLP_ENDPOINT" .variables.config -}}
{{- with default $config.OTEL_EXPORTER_OTLP_ENDPOINT $config.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT -}}
{{- include "postrider.port" . -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* The places that a component connects to by its configuration, each with `value` (which says where that is), `ports` and `to`. */}}
{{- define "postrider.places" -}}
{{- $policy := .root.Values.networkPolicy -}}
{{- $places := list -}}
{{- if has "KAFKA_BROKERS" .variables.connections -}}
{{- $places = append $places (dict "value" "kafka.to" "ports" (include "postrider.kafkaPorts" . | splitList ",") "to" $policy.kafka.to) -}}
{{- with include "postrider.signInPort" . -}}
{{- $places = append $places (dict "value" "signInTo" "ports" (list .) "to" $policy.signInTo) -}}
{{- end -}}
{{- end -}}
{{- if and (has "SCHEMA_REGISTRY_URL" .variables.connections) .root.Values.schemaRegistry.url -}}
{{- $places = append $places (dict "value" "schemaRegistryTo" "ports" (list (include "postrider.port" .root.Values.schemaRegistry.url)) "to" $policy.schemaRegistryTo) -}}
{{- end -}}
{{- if has "CLICKHOUSE_URL" .variables.connections -}}
{{- $places = append $places (dict "value" "clickhouseTo" "ports" (list (include "postrider.port" .clickhouse.url)) "to" $policy.clickhouseTo) -}}
{{- end -}}
{{- with include "postrider.tracesPort" . -}}
{{- $places = append $places (dict "value" "tracesTo" "ports" (list .) "to" $policy.tracesTo) -}}
{{- end -}}
{{- toYaml $places -}}
{{- end -}}

{{/* Ports of a place that the dispatcher's policy does not open everywhere: over them a receiver's URL would reach your own network. The rule for the internet has them. */}}
{{- define "postrider.walled" -}}
{{- $walled := list -}}
{{- if and (eq .component "dispatcher") (empty .place.to) -}}
{{- range .place.ports -}}
{{- if has . (list "80" "443") -}}
{{- $walled = append $walled . -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- $walled | join "," -}}
{{- end -}}

{{/* The egress rules of a component: DNS, and its places. */}}
{{- define "postrider.egress" -}}
- ports:
    - port: 53
      protocol: UDP
    - port: 53
      protocol: TCP
  {{- with .root.Values.networkPolicy.dnsTo }}
  to:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- range $place := include "postrider.places" . | fromYamlArray }}
{{- $walled := include "postrider.walled" (dict "component" $.component "place" $place) | splitList "," }}
{{- $ports := list }}
{{- range $place.ports }}
{{- if not (has . $walled) }}
{{- $ports = append $ports (dict "port" (int .) "protocol" "TCP") }}
{{- end }}
{{- end }}
{{- with $ports }}
- ports:
    {{- toYaml . | nindent 4 }}
  {{- with $place.to }}
  to:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{/* The egress rule for both APIs: of the `postrider` command in control's pods, and of the test. */}}
{{- define "postrider.apiEgress" -}}
- to:
    {{- range $component := list "ingest" "control" }}
    - podSelector:
        matchLabels:
          {{- include "postrider.selectorLabels" (dict "root" $ "component" $component) | nindent 10 }}
    {{- end }}
  ports:
    - port: http
      protocol: TCP
{{- end -}}

{{/* An IPv4 range as "first/last", two numbers. */}}
{{- define "postrider.bounds" -}}
{{- $parts := splitList "/" . -}}
{{- $address := 0 -}}
{{- range splitList "." (first $parts) -}}
{{- $address = add (mul $address 256) (int .) -}}
{{- end -}}
{{- $size := 1 -}}
{{- range until (int (sub 32 (int (last $parts)))) -}}
{{- $size = mul $size 2 -}}
{{- end -}}
{{- $first := mul (div $address $size) $size -}}
{{- printf "%d/%d" $first (sub (add $first $size) 1) -}}
{{- end -}}

{{/* How the denied range `denied` lies to the range `allowed`: "inside", "covers", or nothing where they are apart. Of IPv6 ranges only their beginnings are compared. */}}
{{- define "postrider.overlap" -}}
{{- if eq .denied .allowed -}}
covers
{{- else if and (contains ":" .denied) (contains ":" .allowed) -}}
{{- $length := last (splitList "/" .denied) | int -}}
{{- $least := min $length (last (splitList "/" .allowed) | int) | int -}}
{{- $one := first (splitList ":" .denied) | lower | printf "%04s" -}}
{{- $other := first (splitList ":" .allowed) | lower | printf "%04s" -}}
{{- /* Apart for certain: other first 16 bits, or 4 in a short range. */ -}}
{{- $areApart := or (and (ge $least 16) (ne $one $other)) (and (ge $least 4) (ne (substr 0 1 $one) (substr 0 1 $other))) -}}
{{- if eq $length 0 -}}
covers
{{- else if not $areApart -}}
{{- fail (printf "\n\nconfig.POSTRIDER_DENY_CIDRS has %s and config.POSTRIDER_ALLOW_CIDRS has %s, which may overlap: the chart compares only the beginnings of IPv6 ranges. Allow only what is to be reached.\n" .denied .allowed) -}}
{{- end -}}
{{- else if not (or (contains ":" .denied) (contains ":" .allowed)) -}}
{{- $denied := include "postrider.bounds" .denied | splitList "/" -}}
{{- $allowed := include "postrider.bounds" .allowed | splitList "/" -}}
{{- if and (le (first $denied | int64) (first $allowed | int64)) (ge (last $denied | int64) (last $allowed | int64)) -}}
covers
{{- else if and (ge (first $denied | int64) (first $allowed | int64)) (le (last $denied | int64) (last $allowed | int64)) -}}
inside
{{- end -}}
{{- end -}}
{{- end -}}

{{/* A peer: `cidr` without the ranges of `except` and `denied`. Nothing where they leave nothing, because an exception must be smaller than its block. */}}
{{- define "postrider.block" -}}
{{- $except := default list .except -}}
{{- $isCovered := false -}}
{{- range $denied := .denied -}}
{{- $overlap := include "postrider.overlap" (dict "denied" $denied "allowed" $.cidr) | trim -}}
{{- if eq $overlap "covers" -}}
{{- $isCovered = true -}}
{{- else if eq $overlap "inside" -}}
{{- $except = append $except $denied -}}
{{- end -}}
{{- end -}}
{{- if not $isCovered }}
- ipBlock:
    cidr: {{ .cidr | quote }}
    {{- with uniq $except }}
    except:
      {{- toYaml . | nindent 6 }}
    {{- end }}
{{- end -}}
{{- end -}}

{{/* Peers: every public address, and POSTRIDER_ALLOW_CIDRS; of both without POSTRIDER_DENY_CIDRS. */}}
{{- define "postrider.internet" -}}
{{- $ranges := .Files.Get "files/refused-ranges.json" | fromJson -}}
{{- $denied := compact (splitList "," (nospace (default "" .Values.config.POSTRIDER_DENY_CIDRS))) -}}
{{- include "postrider.block" (dict "cidr" "0.0.0.0/0" "except" $ranges.ipv4 "denied" $denied) }}
{{- $global := first $ranges.globalUnicast -}}
{{- $denied6 := list -}}
{{- $isCovered := false -}}
{{- range $denied -}}
{{- if contains ":" . -}}
{{- $length := last (splitList "/" .) | int -}}
{{- if regexMatch "^[23][0-9a-fA-F]{3}:" . -}}
{{- $denied6 = append $denied6 . -}}
{{- end -}}
{{- /* 2000::/3 lies in ::/0, ::/1 and ::/2. */ -}}
{{- if or (eq $length 0) (and (le $length 2) (regexMatch "^([0-3]?[0-9a-fA-F]{0,3}):" .)) (and (eq $length 3) (regexMatch "^[23][0-9a-fA-F]{3}:" .)) -}}
{{- $isCovered = true -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if not $isCovered -}}
{{- include "postrider.block" (dict "cidr" $global "except" (concat $ranges.ipv6 $denied6) "denied" list) }}
{{- end -}}
{{- range compact (splitList "," (nospace (default "" .Values.config.POSTRIDER_ALLOW_CIDRS))) }}
{{- include "postrider.block" (dict "cidr" . "denied" $denied) }}
{{- end }}
{{- end -}}
