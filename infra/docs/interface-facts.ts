/** What is known of the interface outside of its code, and what only a person can fill in: one place for page and LeanIX. */
import { METRIC_NAMESPACE } from '../../shared/metric-names.ts';
import { loadEnvironment } from '../environments.ts';

/** What only a person or a system of the landscape can fill in. */
export type Placeholder = `<PLACEHOLDER: ${string}>`;

const id = '<PLACEHOLDER: LeanIX id>' satisfies Placeholder;

/** In the place of a placeholder, write the value. */
export const INTERFACE_FACTS = {
  name: METRIC_NAMESPACE,
  summary:
    'When a shopping cart is approved in SAP SRM 7, its purchase order is created in 11VMS: one order for each supplier, currency and company code.',
  factSheetId: id,
  provider: { name: 'SAP SRM 7', id },
  consumer: { name: '11VMS', id },
  dataObject: { name: 'Purchase order', id },
  itComponent: '<PLACEHOLDER: AWS account or platform, LeanIX id>',
  application: '<PLACEHOLDER: LeanIX id of the application that owns the interface>',
  team: '<PLACEHOLDER: LeanIX id of the team>',
  repositoryUrl: '<PLACEHOLDER: URL of the repository>',
  dataClassification: '<PLACEHOLDER: class>',
  personalData: 'names, e-mails and user ids of requester and approver, and addresses',
  businessCriticality: '<PLACEHOLDER: class>',
  /** Days, such as 2027-01-01. */
  lifecycle: { plan: '<PLACEHOLDER: day>', phaseIn: '<PLACEHOLDER: day>', active: '<PLACEHOLDER: day>' },
  domain: 'Procurement Data',
  frequency: loadEnvironment('prod').extraction.schedule,
};

/** The fact sheet as the interface page shows it. */
export function factSheetRows(): (readonly [field: string, value: string])[] {
  const { provider, consumer, dataObject, lifecycle, ...facts } = INTERFACE_FACTS;
  return [
    ['fact sheet type', 'Interface'],
    ['name', facts.name],
    ['fact sheet id', facts.factSheetId],
    ['provider application', `${provider.name}, ${provider.id}`],
    ['consumer application', `${consumer.name}, ${consumer.id}`],
    ['IT component', facts.itComponent],
    ['data object', `${dataObject.name}, ${dataObject.id}`],
    ['data classification', `${facts.dataClassification}; holds ${facts.personalData}`],
    ['business criticality', facts.businessCriticality],
    ['lifecycle', `plan ${lifecycle.plan}, phase in ${lifecycle.phaseIn}, active ${lifecycle.active}`],
  ];
}
