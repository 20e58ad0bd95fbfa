/**
 * What a build of an entry writes beside its template, file by file, and nothing else. What could make CDK run something is
 * no part of it (images, lookups, assemblies within), nor what leads it elsewhere: parameters, roles, buckets, topics. That
 * the template is the one of the checked build is held by the digest alone.
 */
import * as z from 'zod';
import type { Environment } from '../environments.ts';

export function assemblySchemas({ account, region }: Pick<Environment, 'account' | 'region'>) {
  const environment = `aws://${account ?? 'unknown-account'}/${region ?? 'unknown-region'}`;
  // CDK puts the account and the region of the credentials in the place of what the entry does not say.
  const accountText = account ?? pseudoParameter('AccountId');
  const place = `${accountText}-${region ?? pseudoParameter('Region')}`;
  const role = (kind: string) =>
    written(`arn:${pseudoParameter('Partition')}:iam::${accountText}:role/cdk-QUALIFIER-${kind}-role-${place}`);
  const bucket = `cdk-QUALIFIER-assets-${place}`;

  const bootstrap = { requiresBootstrapStackVersion: z.int(), bootstrapStackVersionSsmParameter: z.string() };
  const stack = z.strictObject({
    type: z.literal('aws:cloudformation:stack'),
    environment: z.literal(environment, `must be ${environment}, the account and the region of the entry`),
    properties: z.strictObject({
      templateFile: z.string(),
      stackName: z.string(),
      terminationProtection: z.boolean().optional(),
      tags: z.record(z.string(), z.string()).optional(),
      validateOnSynth: z.literal(false),
      assumeRoleArn: role('deploy'),
      cloudFormationExecutionRoleArn: role('cfn-exec'),
      lookupRole: z.strictObject({ arn: role('lookup'), ...bootstrap }),
      stackTemplateAssetObjectUrl: written(`s3://${bucket}/`, '[0-9a-f]+\\.json'),
      additionalDependencies: z.array(z.string()),
      ...bootstrap,
    }),
    dependencies: z.array(z.string()),
    additionalMetadataFile: z.string(),
    displayName: z.string(),
  });
  const assetManifest = z.strictObject({
    type: z.literal('cdk:asset-manifest'),
    properties: z.strictObject({ file: z.string(), ...bootstrap }),
  });
  const tree = z.strictObject({ type: z.literal('cdk:tree'), properties: z.strictObject({ file: z.string() }) });
  const flags = z.strictObject({ type: z.literal('cdk:feature-flag-report'), properties: z.looseObject({}) });

  return {
    manifest: z.strictObject({
      version: z.string(),
      minimumCliVersion: z.string().optional(),
      artifacts: z.record(z.string(), z.discriminatedUnion('type', [stack, assetManifest, tree, flags])),
      missing: z.array(z.unknown()).max(0).optional(),
    }),
    assets: z.strictObject({
      version: z.string(),
      files: z.record(
        z.string(),
        z.strictObject({
          displayName: z.string().optional(),
          // With `executable`, CDK would run a command to make the file.
          source: z.strictObject({ path: z.string(), packaging: z.enum(['file', 'zip']) }),
          destinations: z.record(
            z.string(),
            z.strictObject({
              bucketName: written(bucket),
              objectKey: z.string(),
              region: z.literal(region).optional(),
              assumeRoleArn: role('file-publishing'),
            }),
          ),
        }),
      ),
      dockerImages: z.record(z.string(), z.never()).optional(),
    }),
    // Where it names an asset, as CDK 1 did, CDK would build an image of it.
    metadata: z.record(
      z.string(),
      z.array(z.looseObject({ type: z.string().refine((type) => type !== 'aws:cdk:asset', 'must be no asset') })),
    ),
  };
}

/** CDK puts the value in its place when it deploys. */
const pseudoParameter = (name: string): string => `\${AWS::${name}}`;

/** The text, with any qualifier of a bootstrap in the place of QUALIFIER, and what follows it. */
function written(text: string, rest = '') {
  const pattern = RegExp.escape(text).replace('QUALIFIER', '[a-z0-9]{1,10}');
  return z.string().regex(new RegExp(`^${pattern}${rest}$`), `must be ${text}${rest === '' ? '' : '…'}`);
}
