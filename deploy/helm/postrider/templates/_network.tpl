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

{{/* Peers: every public address, without POSTRIDER_DENY_CIDRS, and with POSTRIDER_ALLOW_CIDRS. */}}
{{- define "postrider.internet" -}}
{{- $ranges := .Files.Get "files/refused-ranges.json" | fromJson -}}
{{- $denied := compact (splitList "," (nospace (default "" .Values.config.POSTRIDER_DENY_CIDRS))) -}}
- ipBlock:
    cidr: 0.0.0.0/0
    except:
      {{- range $ranges.ipv4 }}
      - {{ . }}
      {{- end }}
      {{- range $denied }}
      {{- if not (contains ":" .) }}
      - {{ . }}
      {{- end }}
      {{- end }}
- ipBlock:
    cidr: {{ first $ranges.globalUnicast }}
    except:
      {{- range $ranges.ipv6 }}
      - {{ . }}
      {{- end }}
      {{- range $denied }}
      {{- if regexMatch "^[23][0-9a-fA-F]{3}:" . }}
      - {{ . }}
      {{- end }}
      {{- end }}
{{- range compact (splitList "," (nospace (default "" .Values.config.POSTRIDER_ALLOW_CIDRS))) }}
- ipBlock:
    cidr: {{ . }}
{{- end }}
{{- end -}}
