import { expect, it } from 'vitest';
import { nftOutputDrops } from '../../../src/doctor/local-checks.ts';

const RULESET = `table inet filter {
	chain input {
		type filter hook input priority filter; policy drop;
		ct state invalid drop
	}
	chain output {
		type filter hook output priority filter; policy accept;
		ct state invalid counter packets 7 bytes 280 drop
		oifname "lo" accept
	}
	chain other {
		ip daddr 192.0.2.1 drop
	}
}`;

it('finds the rules that drop on output', () => {
  expect(nftOutputDrops(RULESET)).toEqual(['ct state invalid drop']);
  expect(nftOutputDrops('')).toEqual([]);
});
