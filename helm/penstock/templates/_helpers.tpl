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

{{- /*
Whom the policies of rights ask: whoever writes another spec. The operator and the receiver pass on what was asked when
its author applied it, and the collector of garbage writes no spec.
*/}}
{{- define "penstock.policyConditions" }}
  matchConditions:
  - name: by-somebody-else
    expression: request.userInfo.username != "system:serviceaccount:{{ .Release.Namespace }}:{{ include "penstock.serviceAccount" . }}"
  {{- if .Values.receiver.enabled }}
  - name: by-no-receiver
    expression: request.userInfo.username != "system:serviceaccount:{{ .Release.Namespace }}:{{ include "penstock.receiverAccount" . }}"
  {{- end }}
  - name: of-another-spec
    expression: oldObject == null || object.spec != oldObject.spec
{{- end }}

{{- /* The head of a policy about one of our kinds, up to its conditions: list of the root, its name and the resource. */}}
{{- define "penstock.policyHead" -}}
{{- $root := index . 0 -}}
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata:
  name: {{ index . 1 }}
  labels: {{- include "penstock.labels" $root | nindent 4 }}
spec:
  failurePolicy: Fail
  matchConstraints:
    resourceRules:
    - {apiGroups: [penstock.dev], apiVersions: [v1alpha1], operations: [CREATE, UPDATE], resources: [{{ index . 2 }}]}
  {{- include "penstock.policyConditions" $root }}
{{- end }}

{{- /* What makes a policy work: list of the root and its name. */}}
{{- define "penstock.policyTail" -}}
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata:
  name: {{ index . 1 }}
  labels: {{- include "penstock.labels" (index . 0) | nindent 4 }}
spec:
  policyName: {{ index . 1 }}
  validationActions: [Deny]
  {{- include "penstock.policyBinding" (index . 0) }}
{{- end }}
