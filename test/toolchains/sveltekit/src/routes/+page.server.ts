import process from 'node:process';
import { check } from '../check';

export async function load() {
	return { text: await check(process.env.ROUTER_URL ?? '') };
}
