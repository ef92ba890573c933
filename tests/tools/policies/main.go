// What the API server would say of requests by ValidatingAdmissionPolicies, in its own code, without an API server.
//
// It reads one document of policies and requests from standard input, and writes for each request what is said against
// it. What a policy is for (`matchConstraints`) is honoured; which namespaces a binding selects is not.
package main

import (
	"context"
	"encoding/json"
	"log"
	"os"
	"slices"

	v1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apiserver/pkg/admission"
	"k8s.io/apiserver/pkg/admission/plugin/cel"
	"k8s.io/apiserver/pkg/admission/plugin/policy/validating"
	"k8s.io/apiserver/pkg/admission/plugin/webhook/matchconditions"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
	"k8s.io/apiserver/pkg/authentication/user"
	"k8s.io/apiserver/pkg/authorization/authorizer"
	"k8s.io/apiserver/pkg/cel/environment"
)

// Right is a rule of a Role: without names it is to all of them.
type Right struct {
	Group, Resource string
	Verbs, Names    []string
}

// Request is what somebody asks of the API server, and what else they may do.
type Request struct {
	User, Operation, Group, Version, Kind, Resource, Subresource, Namespace, Name string

	Object, OldObject map[string]any
	Rights            []Right
}

// Authorize says yes to what is among the rights.
func (asked Request) Authorize(_ context.Context, a authorizer.Attributes) (authorizer.Decision, string, error) {
	resource := a.GetResource()
	if a.GetSubresource() != "" {
		resource += "/" + a.GetSubresource()
	}
	for _, right := range asked.Rights {
		named := len(right.Names) == 0 || slices.Contains(right.Names, a.GetName())
		if right.Group == a.GetAPIGroup() && right.Resource == resource && slices.Contains(right.Verbs, a.GetVerb()) && named {
			return authorizer.DecisionAllow, "", nil
		}
	}
	return authorizer.DecisionNoOpinion, "", nil
}

func main() {
	var given struct {
		Policies []v1.ValidatingAdmissionPolicy
		Requests []Request
	}
	if err := json.NewDecoder(os.Stdin).Decode(&given); err != nil {
		log.Fatal(err)
	}
	environments, err := cel.NewCompositionEnv(cel.VariablesTypeName, environment.MustBaseEnvSet(environment.DefaultCompatibilityVersion(), true))
	if err != nil {
		log.Fatal(err)
	}
	validators := make([]validating.Validator, len(given.Policies))
	answers := make([][]string, len(given.Requests))
	for i, asked := range given.Requests {
		answers[i] = []string{}
		for j := range given.Policies {
			if matches(given.Policies[j].Spec.MatchConstraints, asked) {
				if validators[j] == nil { // to compile one takes longer than all the rest
					validators[j] = compile(&given.Policies[j], environments)
				}
				answers[i] = append(answers[i], refusals(validators[j], asked)...)
			}
		}
	}
	if err := json.NewEncoder(os.Stdout).Encode(answers); err != nil {
		log.Fatal(err)
	}
}

// compile does what the API server's compilePolicy does, which it keeps to itself.
func compile(policy *v1.ValidatingAdmissionPolicy, environments *cel.CompositionEnv) validating.Validator {
	with := cel.OptionalVariableDeclarations{HasAuthorizer: true, StrictCost: true}
	compiler := cel.NewCompositedCompilerFromTemplate(environments)
	variables := make([]cel.NamedExpressionAccessor, len(policy.Spec.Variables))
	for i, each := range policy.Spec.Variables {
		variables[i] = &validating.Variable{Name: each.Name, Expression: each.Expression}
	}
	compiler.CompileAndStoreVariables(variables, with, environment.StoredExpressions)
	var conditions, validations, messages []cel.ExpressionAccessor
	for i := range policy.Spec.MatchConditions {
		conditions = append(conditions, (*matchconditions.MatchCondition)(&policy.Spec.MatchConditions[i]))
	}
	for _, each := range policy.Spec.Validations {
		validations = append(validations, &validating.ValidationCondition{Expression: each.Expression, Message: each.Message, Reason: each.Reason})
		var message cel.ExpressionAccessor
		if each.MessageExpression != "" {
			message = &validating.MessageExpressionCondition{MessageExpression: each.MessageExpression}
		}
		messages = append(messages, message)
	}
	return validating.NewValidator(
		compiler.CompileCondition(validations, with, environment.StoredExpressions),
		matchconditions.NewMatcher(compiler.CompileCondition(conditions, with, environment.StoredExpressions), policy.Spec.FailurePolicy, "policy", "validate", policy.Name),
		compiler.CompileCondition(nil, with, environment.StoredExpressions),
		compiler.CompileCondition(messages, cel.OptionalVariableDeclarations{StrictCost: true}, environment.StoredExpressions),
		policy.Spec.FailurePolicy,
	)
}

func matches(constraints *v1.MatchResources, asked Request) bool {
	resource := asked.Resource
	if asked.Subresource != "" {
		resource += "/" + asked.Subresource
	}
	return constraints != nil && slices.ContainsFunc(constraints.ResourceRules, func(rule v1.NamedRuleWithOperations) bool {
		operations := slices.ContainsFunc(rule.Operations, func(each v1.OperationType) bool { return each == "*" || string(each) == asked.Operation })
		return operations && (slices.Contains(rule.APIGroups, "*") || slices.Contains(rule.APIGroups, asked.Group)) &&
			(slices.Contains(rule.APIVersions, "*") || slices.Contains(rule.APIVersions, asked.Version)) &&
			(slices.Contains(rule.Resources, "*/*") || slices.Contains(rule.Resources, resource) || asked.Subresource == "" && slices.Contains(rule.Resources, "*"))
	})
}

func refusals(validator validating.Validator, asked Request) []string {
	kind := schema.GroupVersionKind{Group: asked.Group, Version: asked.Version, Kind: asked.Kind}
	resource := schema.GroupVersionResource{Group: asked.Group, Version: asked.Version, Resource: asked.Resource}
	object, old := unstructuredOf(asked.Object), unstructuredOf(asked.OldObject)
	attributes := admission.NewAttributesRecord(object, old, kind, asked.Namespace, asked.Name, resource, asked.Subresource,
		admission.Operation(asked.Operation), nil, false, &user.DefaultInfo{Name: asked.User})
	versioned := &admission.VersionedAttributes{Attributes: attributes, VersionedKind: kind, VersionedObject: object, VersionedOldObject: old}
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: asked.Namespace}}
	found := validator.Validate(context.Background(), resource, versioned, nil, namespace, celconfig.RuntimeCELCostBudget, asked)
	var said []string
	for _, each := range found.Decisions {
		if each.Action != validating.ActionAdmit {
			said = append(said, each.Message)
		}
	}
	return said
}

// unstructuredOf returns no object as none: an interface that holds a nil pointer would be one.
func unstructuredOf(content map[string]any) runtime.Object {
	if content == nil {
		return nil
	}
	return &unstructured.Unstructured{Object: content}
}
