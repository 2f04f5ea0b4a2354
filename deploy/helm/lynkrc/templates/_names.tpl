{{- define "lynkrc.name" -}}
{{- if contains "lynkrc" .Release.Name -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-lynkrc" (.Release.Name | trunc 43 | trimSuffix "-") -}}
{{- end -}}
{{- end -}}

{{- define "lynkrc.selector" -}}
app.kubernetes.io/name: lynkrc
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "lynkrc.labels" -}}
{{ include "lynkrc.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{- define "lynkrc.image" -}}
{{- with .Values.image -}}
{{- if .digest -}}
{{ .repository }}@{{ .digest }}
{{- else -}}
{{ .repository }}:{{ .tag | default $.Chart.AppVersion }}
{{- end -}}
{{- end -}}
{{- end -}}

{{- /* Which of the four the bundle comes from; what contradicts itself is refused here. */ -}}
{{- define "lynkrc.source" -}}
{{- $bundle := .Values.bundle -}}
{{- $found := list -}}
{{- if or $bundle.configMap.existing $bundle.configMap.content }}{{ $found = append $found "configMap" }}{{ end -}}
{{- if $bundle.persistentVolumeClaim.name }}{{ $found = append $found "persistentVolumeClaim" }}{{ end -}}
{{- if $bundle.image.reference }}{{ $found = append $found "image" }}{{ end -}}
{{- if $bundle.url.address }}{{ $found = append $found "url" }}{{ end -}}
{{- if ne (len $found) 1 -}}
{{- fail (printf "bundle: exactly one of configMap, persistentVolumeClaim, image.reference and url.address says where it comes from; %s" (ternary "none does" (printf "%s do" (join ", " $found)) (empty $found))) -}}
{{- end -}}
{{- with $bundle.configMap -}}
{{- if and .existing (or .content .signature) }}{{ fail "bundle.configMap: `existing` names one, `content` makes one; one of the two" }}{{ end -}}
{{- if and .signature (not .content) }}{{ fail "bundle.configMap.signature: it needs `content`" }}{{ end -}}
{{- if gt (add (len .content) (len .signature)) 1398000 }}{{ fail "bundle.configMap.content: a ConfigMap holds 1 MiB at most; use a volume, an image or a URL" }}{{ end -}}
{{- end -}}
{{- $keys := include "lynkrc.trusted" . -}}
{{- if and (eq (first $found) "url") (not $keys) }}{{ fail "bundle.url: a bundle from a server must be signed; `trust.keys` or `trust.existing` says by whom" }}{{ end -}}
{{- if and (eq (first $found) "image") (semverCompare "<1.33.0-0" .Capabilities.KubeVersion.Version) }}{{ fail "bundle.image: volumes of images need Kubernetes 1.33 with the feature gate ImageVolume, or 1.35" }}{{ end -}}
{{- if and .Values.trust.requireSignature (not $keys) }}{{ fail "trust.requireSignature: `trust.keys` or `trust.existing` says whose" }}{{ end -}}
{{- first $found -}}
{{- end -}}

{{- /* The names of the files that hold trusted keys, one a line. */ -}}
{{- define "lynkrc.trusted" -}}
{{- $trust := .Values.trust -}}
{{- if and $trust.keys $trust.existing.name }}{{ fail "trust: `keys` makes a ConfigMap, `existing` names one; one of the two" }}{{ end -}}
{{- if $trust.existing.name -}}
{{- if not $trust.existing.files }}{{ fail "trust.existing.files: which files of the ConfigMap are keys" }}{{ end -}}
{{- join "\n" $trust.existing.files -}}
{{- else -}}
{{- join "\n" (keys $trust.keys | sortAlpha) -}}
{{- end -}}
{{- end -}}

{{- /* Seconds a pod is given to end. */ -}}
{{- define "lynkrc.grace" -}}
{{- add (ceil .Values.stopDelay) (ceil .Values.drain) 15 -}}
{{- end -}}

{{- define "lynkrc.checks" -}}
{{- if and .Values.admin.enabled (not .Values.credentials.existingSecret) }}{{ fail "admin.enabled: the operators' port needs a token, which `credentials.existingSecret` holds" }}{{ end -}}
{{- if and .Values.podMonitor.enabled (not .Values.admin.enabled) }}{{ fail "podMonitor.enabled: Prometheus asks the operators' port, so `admin.enabled` must be true" }}{{ end -}}
{{- if and .Values.podMonitor.enabled .Values.networkPolicy.enabled (not .Values.networkPolicy.operators) }}{{ fail "networkPolicy.operators: an empty list lets nobody to the operators' port, and `podMonitor.enabled` has Prometheus ask it" }}{{ end -}}
{{- if .Values.autoscaling.enabled -}}
{{- if gt (int .Values.autoscaling.minReplicas) (int .Values.autoscaling.maxReplicas) }}{{ fail "autoscaling: minReplicas is more than maxReplicas" }}{{ end -}}
{{- if not (dig "requests" "cpu" "" .Values.resources) }}{{ fail "autoscaling: a share of CPU needs `resources.requests.cpu`" }}{{ end -}}
{{- end -}}
{{- end -}}
