{{- /*
What the operator may do where it works, and no more than it does: penstock.act.rights, with which a test compares it. No Secret, no
wildcard, no pod of its own making: pods are made by Jobs and Deployments.
*/}}
{{- define "penstock.rights" -}}
- apiGroups: [penstock.dev]
  resources: [pipelines, triggers]
  verbs: [get, list, watch]
- apiGroups: [penstock.dev]
  resources: [pipelineruns]                # made by Triggers, which let them begin or cancel them; removed by retention
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [penstock.dev]
  resources: [models]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [penstock.dev]
  resources: [pipelines/status, pipelineruns/status, models/status, triggers/status]
  verbs: [patch]
- apiGroups: [batch]
  resources: [jobs]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [apps]
  resources: [controllerrevisions, deployments]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [""]
  resources: [configmaps, services]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [""]
  resources: [pods]
  verbs: [list, watch]
- apiGroups: [""]
  resources: [pods/log]                    # the end of a job's log has what its result was too long for
  verbs: [get]
- apiGroups: [""]
  resources: [namespaces]                  # whether it is being deleted: that deletes no file
  verbs: [get]
- apiGroups: [""]
  resources: [events]                      # why a pod waits
  verbs: [list]
- apiGroups: [kueue.x-k8s.io]
  resources: [workloads]                   # why a Job waits in a queue, in Kueue's words, where there is Kueue
  verbs: [list, watch]
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create]
{{- end }}
