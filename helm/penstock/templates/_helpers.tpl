{{- define "penstock.name" -}}
{{- if contains "penstock" .Release.Name }}{{ .Release.Name | trunc 52 | trimSuffix "-" }}{{ else }}{{ printf "%s-penstock" .Release.Name | trunc 52 | trimSuffix "-" }}{{ end }}
{{- end }}

{{- define "penstock.serviceAccount" -}}
{{- .Values.serviceAccount.name | default (include "penstock.name" .) }}
{{- end }}

{{- define "penstock.receiverAccount" -}}
{{- .Values.receiver.serviceAccount.name | default (printf "%s-receiver" (include "penstock.name" .)) }}
{{- end }}

{{- define "penstock.labels" -}}
app.kubernetes.io/name: penstock
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{- define "penstock.selector" -}}
app.kubernetes.io/name: penstock
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- /* The operator's Service and Deployment select by `penstock`, so the receiver's pods are of another name. */}}
{{- define "penstock.receiverSelector" -}}
app.kubernetes.io/name: penstock-receiver
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- /* Where pods of ours run, and who may pull their image. */}}
{{- define "penstock.placement" -}}
{{- with .Values.imagePullSecrets }}
imagePullSecrets: {{- toYaml . | nindent 0 }}
{{- end }}
{{- with .Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations: {{- toYaml . | nindent 0 }}
{{- end }}
{{- with .Values.affinity }}
affinity: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- /* The reference of one image: list of the root and the image's name in `images`. */}}
{{- define "penstock.image" -}}
{{- $root := index . 0 }}
{{- $image := index $root.Values.images (index . 1) }}
{{- $name := $image.name }}
{{- if $root.Values.registry }}{{ $name = printf "%s/%s" (trimSuffix "/" $root.Values.registry) $name }}{{ end }}
{{- if $image.digest }}{{ printf "%s@%s" $name $image.digest }}{{ else }}{{ printf "%s:%s" $name ($image.tag | default $root.Chart.AppVersion) }}{{ end }}
{{- end }}

{{- /* Whether the policies look at a namespace. */}}
{{- define "penstock.policyBinding" -}}
{{- if .Values.namespaces }}
  matchResources:
    namespaceSelector:
      matchExpressions:
      - {key: kubernetes.io/metadata.name, operator: In, values: {{ .Values.namespaces | toJson }}}
{{- end }}
{{- end }}
