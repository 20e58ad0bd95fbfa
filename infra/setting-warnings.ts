/** What a synthesis says of settings that are valid and give up something. */
import { ASSUMED_SERVICE } from '../shared/srm-service.ts';
import type { Environment } from './environments.ts';
import { parseSchedule } from './schedule.ts';

export interface SettingWarning {
  /** The setting. */
  readonly path: string;
  readonly message: string;
}

export function settingWarnings({ srm, vms, extraction, notifications }: Environment): SettingWarning[] {
  const warnings: SettingWarning[] = [];
  if (vms.lookUpBy === 'none') {
    warnings.push({
      path: 'vms.lookUpBy',
      message:
        'without a look-up, the interface still never orders twice, but it gives up four things: each order whose answer is lost is a dead letter, which a person must search in 11VMS; a cart that is changed after its order was created is a dead letter that does not say what changed; a redrive of either ends the same way; and a probe sees only the proxy, so that an outage may make a dead letter of each order that is under way as it begins (up to delivery.batchSize x delivery.maximumConcurrency carts), and of one more at each trial',
    });
  }
  if (srm.changedAtProperty !== ASSUMED_SERVICE.changedAtProperty) {
    warnings.push({
      path: 'srm.changedAtProperty',
      message:
        'a cart without an ApprovedAt, as after an automatic release, is never read, also not by the reconciliation, and nothing tells of it; a change after the approval is not seen before the next approval',
    });
  }
  const { kind } = parseSchedule(extraction.schedule, extraction.timeZone);
  if (kind === 'cron' && notifications.thresholds.extractionSilenceMinutes === undefined) {
    warnings.push({
      path: 'notifications.thresholds.extractionSilenceMinutes',
      message:
        'without it, an extraction.schedule that is a cron is silent for three days before the alarm no-extraction pages: set it to three of its intervals, or to a little more than its longest gap',
    });
  }
  if (notifications.pagerDuty !== undefined && notifications.email.length === 0) {
    warnings.push({
      path: 'notifications.email',
      message:
        'without an address, no person is told of a page that PagerDuty does not take, nor of an alarm that does not page: name one, also beside PagerDuty',
    });
  }
  return warnings;
}
